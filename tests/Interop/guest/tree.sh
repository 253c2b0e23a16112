# Copies a tree in and reads it back: /put/tree.tar, as made by make-tree.sh.
. /put/lib.sh
mkdir /tmp/source
tar -C /tmp/source -xpf /put/tree.tar || { echo "FAILED unpack"; exit 1; }
sh /put/manifest.sh /tmp/source >/tmp/due
mount_export /mnt

cp -a /tmp/source /mnt/copy 2>/tmp/said; is "copied without a word" "$(cat /tmp/said)" ""
umount /mnt; forget; mount_export /mnt
sh /put/manifest.sh /mnt/copy >/tmp/got
if cmp -s /tmp/due /tmp/got; then echo "ok read back equal"; else
  echo "FAILED read back equal: $(diff /tmp/due /tmp/got | grep -c '^[<>]') lines differ"; diff /tmp/due /tmp/got | grep '^[-+<>]' | cut -c1-300 | head -n 20
fi
is "as many entries as were copied" "$(find /mnt/copy -print0 | tr -dc '\000' | wc -c)" "$(wc -l </tmp/due)"
cp /tmp/got /mnt/manifest && echo "ok manifest for the host"

# Gone again, whatever it was called.
if [ -n "${1:-}" ]; then
  mv /mnt/copy /mnt/second
  cp -a /tmp/source /mnt/first 2>&1
  rm -rf /mnt/first 2>&1; is "removed" "$(ls -a /mnt | tr '\n' ' ')" ". .. manifest second "
fi
umount /mnt
echo end
