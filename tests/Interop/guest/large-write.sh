# Writes a large file piece by piece and says how far it is; meanwhile the host does to the server what the test is about.
# Third argument: MiB.
. /put/lib.sh
size=$1
mount_export /mnt; cd /mnt
# Little may stay dirty here: what is said to be written is, but for this, on its way to the server or there.
echo 4194304 >/proc/sys/vm/dirty_bytes; echo 2097152 >/proc/sys/vm/dirty_background_bytes
head -c 1048576 /dev/urandom >/tmp/piece

# What must not be lost, whatever happens to the server: one file committed, one written past the cache.
echo 'kept since before' >small; sync
dd if=/tmp/piece of=direct bs=65536 oflag=direct 2>/dev/null

i=0
while [ $i -lt "$size" ]; do
  { printf '%08d' $i; cat /tmp/piece; } || break
  i=$((i + 1)); echo "written $i" >&3
done 3>&1 >large || echo "FAILED write"
succeeds "sync" sync
is "size" "$(stat -c %s large)" $((size * 1048584))
forget
is "read back equal" "$(sha1sum <large | cut -c1-40)" "$(i=0; while [ $i -lt "$size" ]; do printf '%08d' $i; cat /tmp/piece; i=$((i + 1)); done | sha1sum | cut -c1-40)"
is "the committed file" "$(cat small)" "kept since before"
is "the file written directly" "$(sha1sum <direct)" "$(sha1sum </tmp/piece)"
echo "value sha1 $(sha1sum <large | cut -c1-40)"
cd /; umount /mnt && echo "ok umount"
echo end
