# Byte-range locks as told on standard input: "a COMMAND" and "b COMMAND" go to two processes with the file open (locktool's commands), which
# answer "a ANSWER", "b ANSWER". "notify" tells the server, by NSM, that this machine has rebooted; "end" ends.
. /put/lib.sh
mount_export /mnt
[ -e /mnt/lk ] || : >/mnt/lk
for p in a b; do
  mkfifo /run/$p
  /bin/locktool /mnt/lk </run/$p | while read -r said; do echo "$p $said"; done &
done
exec 7>/run/a 8>/run/b
while read -r p command; do
  case $p in
    a) echo "$command" >&7 ;;
    b) echo "$command" >&8 ;;
    notify) sm-notify -f -v "$(sed -n "s/ $NAME\$//p" /etc/hosts)" && echo "notified" ;;
    end) break ;;
  esac
done
echo end
