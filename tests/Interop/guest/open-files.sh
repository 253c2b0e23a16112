# Files that are open while the host does something to the server: "open" is said when they are, and "go" heard when that is done. Then each is
# written and read on by the descriptor that was open, and nothing of it by its name.
. /put/lib.sh
mount_export /mnt; cd /mnt
exec 3<>kept 4<kept; echo one >&3
exec 5<>gone 6<gone; echo one >&5; rm gone
exec 7>>log; echo one >&7
mkdir dir; echo deep >dir/deep; exec 8<dir/deep
sync
is "the file without a name has one for the server" "$(ls -A | grep -c '^\.nfs')" 1
echo open
read -r _

# Each is on the server's disk when it is checked: dd syncs what it was given to write to.
echo two | dd conv=fsync >&3 2>/tmp/said && echo "ok written on" || echo "FAILED written on: $(cat /tmp/said)"
echo two | dd conv=fsync >&5 2>/tmp/said && echo "ok written on without a name" || echo "FAILED written on without a name: $(cat /tmp/said)"
echo two | dd conv=fsync >&7 2>/tmp/said && echo "ok appended" || echo "FAILED appended: $(cat /tmp/said)"
forget
is "read on" "$(cat <&4 | tr '\n' ' ')" "one two "
is "read on without a name" "$(cat <&6 | tr '\n' ' ')" "one two "
is "read what was only read" "$(cat <&8)" deep
exec 3<&- 4<&- 5<&- 6<&- 7<&- 8<&-
is "after the last close nothing is left" "$(ls -A | grep -c '^\.nfs')" 0
is "read by its name" "$(cat kept | tr '\n' ' ')" "one two "
succeeds "made anew" sh -c 'echo new >new && [ "$(cat new)" = new ]'
cd /; umount /mnt && echo "ok umount"
is "nothing was lost" "$(dmesg | grep -iE 'nfs' | grep -iE 'lost|fail|error')" ""
echo end
