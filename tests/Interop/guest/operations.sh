# What programs do to files, one check after another, on an export whose directory the host filled beforehand:
# many/ with the number of files given as the third argument.
. /put/lib.sh
many=$1
echo 'team:x:1500:alice' >>/etc/group
as() { local who=$1; shift; su "$who" -s /bin/sh -c "cd /mnt && $*"; }
mount_export /mnt; cd /mnt

# --- rename
echo old >a; echo new >b; mv b a
is "rename over a file" "$(cat a)$(ls b 2>/dev/null)" new
echo kept >open; exec 3<open; echo other >c; mv c open
is "rename over an open file: the name has the new content" "$(cat open)" other
is "rename over an open file: who has it open reads the old" "$(cat <&3)" kept
exec 3<&-
mkdir full empty; echo x >full/x
fails "rename over a directory that is not empty" "Directory not empty" mv -T empty full
succeeds "rename over an empty directory" mv -T full empty
is "its content moved with it" "$(cat empty/x)" x
fails "rename a directory into itself" "Invalid argument" mv -T empty empty/deeper
fails "rename a file over a directory" "s a directory" mv -T a empty
mkdir other; mv empty/x other/y; is "rename to another directory" "$(ls empty other)" "$(printf 'empty:\n\nother:\ny')"

# --- unlink while open
echo first >gone; exec 4<>gone; rm gone
is "an unlinked open file has no name" "$(ls gone 2>/dev/null)" ""
echo second >&4; forget
is "an unlinked open file can be read back" "$(cat /proc/self/fd/4 2>/dev/null || echo unreadable)" "second"
exec 4<&-
is "after the last close nothing is left" "$(ls -A | grep -c '^\.nfs')" 0

# --- links
echo linked >l1; ln l1 l2; is "two names" "$(stat -c %h l2)" 2
rm l1; is "one name less" "$(stat -c %h l2)$(cat l2)" 1linked
fails "hard link to a directory" "ot permitted" ln other l3
ln -s loop2 loop1; ln -s loop1 loop2; fails "a loop of symbolic links" "ymbolic link" cat loop1
is "a link's target" "$(readlink loop1)" loop2

# --- sizes
printf 0123456789 >t; truncate -s 4 t; forget; is "truncate" "$(cat t)" 0123
truncate -s 8 t; forget; is "truncate upwards reads as zeros" "$(xxd -p t)" 3031323300000000
: >t; is "truncate by opening" "$(stat -c %s t)" 0
printf tail | dd of=sparse bs=1 seek=5000000000 conv=notrunc 2>/dev/null; forget
is "past 4 GiB: size" "$(stat -c %s sparse)" 5000000004
is "past 4 GiB: content" "$(tail -c 4 sparse)" tail
is "past 4 GiB: the hole" "$(dd if=sparse bs=64k skip=70000 count=1 2>/dev/null | tr -d '\000' | wc -c)" 0
is "past 4 GiB: no blocks for the hole" "$([ "$(stat -c %b sparse)" -lt 10000 ] && echo few)" few
printf mid | dd of=sparse bs=1 seek=4294967295 conv=notrunc 2>/dev/null; forget
is "across 4 GiB" "$(dd if=sparse bs=1 skip=4294967294 count=5 2>/dev/null | xxd -p)" 006d696400

# --- two mounts, each with a cache of its own
mkdir -p /mnt2; nfsmount -o "$options,nosharecache" "server:$export" /mnt2 || echo "FAILED second mount"
i=0; while [ $i -lt 20 ]; do echo "one $i" >>/mnt/log; echo "two $i" >>/mnt2/log; i=$((i + 1)); done
is "append from two mounts" "$(awk '{ n++; if ($2 != int((NR - 1) / 2)) bad++ } END { print n, bad + 0 }' /mnt/log)" "40 0"
echo seen >/mnt/there; is "the other mount sees a new file" "$(cat /mnt2/there)" seen
echo changed >/mnt2/there; is "and its change is seen here" "$(cat /mnt/there)" changed
(set -C; echo mine >/mnt/there) 2>/dev/null && echo "FAILED exclusive create over a file" || echo "ok exclusive create over a file"
(set -C; echo mine >/mnt/new) 2>/tmp/said && is "exclusive create" "$(cat /mnt2/new)" mine || echo "FAILED exclusive create: $(cat /tmp/said)"
rm /mnt2/new; fails "removed by the other mount" "No such file" cat /mnt/new
umount /mnt2

# --- attributes
touch m; chmod 4751 m; forget; is "chmod" "$(stat -c %a m)" 4751
chown 1001:1002 m; is "chown" "$(stat -c %u:%g m)" 1001:1002
chown -h 1001:1002 loop2; forget; is "chown of a symbolic link" "$(stat -c %u:%g loop2 loop1 | tr '\n' ' ')" "1001:1002 0:0 "
chmod 640 m; touch -d '2001-02-03 04:05:06' m; forget; is "utimes" "$(stat -c %Y m)" 981173106
touch -d '2039-01-01 00:00:00' m; is "utimes after 2038" "$(stat -c %Y m)" 2177452800
before=$(stat -c %Y a); touch m; is "touch is now" "$([ "$(stat -c %Y m)" -ge "$before" ] && [ "$(stat -c %Y m)" -lt 2177452800 ] && echo now)" now
mkdir g; chown 0:1500 g; chmod 2775 g; touch g/f; mkdir g/d
is "group inherited from a set-gid directory" "$(stat -c %g g/f)/$(stat -c %g:%a g/d)" "1500/1500:2755"

# --- other kinds of files
mknod fifo p; mknod null c 1 3; mknod block b 7 1
is "special files" "$(stat -c %F fifo), $(stat -c '%F %t %T' null), $(stat -c '%F %t %T' block)" "fifo, character special file 1 3, block special file 7 1"
succeeds "the device works here" sh -c 'echo x >null'
fails "make a directory that is there" "File exists" mkdir g
fails "remove a directory that is not empty" "Directory not empty" rmdir g
fails "remove a directory as a file" "Is a directory" unlink g
fails "remove a file as a directory" "Not a directory" rmdir a
fails "a name of 256 bytes" "File name too long" touch "$(printf '%0256d' 0)"
fails "what is not there" "No such file" cat nothing

# --- who may what
mkdir private; echo secret >private/f; chmod 700 private; echo plain >plain; chmod 644 plain
mkdir shared; chmod 1777 shared; echo team >team; chown 0:1500 team; chmod 660 team
fails "a closed directory" "ermission denied" as alice cat private/f
is "a readable file" "$(as alice cat plain 2>&1)" plain
fails "write to another's file" "ermission denied" as alice 'echo x >plain'
is "group from the supplementary groups" "$(as alice 'cat team && echo more >>team' 2>&1)" team
fails "who is not in the group" "ermission denied" as bob cat team
succeeds "create where all may" as alice 'echo hers >shared/hers'
is "the owner is who made it" "$(stat -c %u:%g shared/hers)" 1001:1001
fails "sticky: another's file stays" "ot permitted" as bob 'rm -f shared/hers'
fails "give a file away" "ot permitted" as alice 'chown 1002 shared/hers'
fails "chmod another's file" "ot permitted" as bob 'chmod 777 shared/hers'
fails "utimes of another's file" "ot permitted" as bob "touch -d '2001-02-03 04:05:06' shared/hers"
succeeds "the owner may" as alice 'chmod 600 shared/hers && touch shared/hers && rm shared/hers'
as alice 'exec 5>shared/ro; chmod 0 shared/ro; echo through >&5' 2>/tmp/said; is "the owner's open file goes on after chmod 0" "$(cat shared/ro)$(cat /tmp/said)" through
mkdir dev; chmod 755 dev; fails "create in another's directory" "ermission denied" as alice 'touch dev/x'

# --- many files
is "list many" "$(ls many | wc -l)" "$many"
is "list many, each once" "$(ls many | sort -u | wc -l)" "$many"
(cd many; ls | head -n 200 | xargs rm); forget
is "list after removing some" "$(ls many | wc -l)" $((many - 200))

# --- the file system
echo "value blocks $(stat -f -c '%b %S' /mnt)"
echo "value df $(df -k /mnt | awk 'END { print $(NF-4) }')"
cd /; umount /mnt && echo "ok umount"
is "the kernel has no complaint" "$(dmesg | grep -iE 'nfs|rpc' | grep -iE 'error|bad|not responding|unknown|fail|corrupt')" ""
echo end
