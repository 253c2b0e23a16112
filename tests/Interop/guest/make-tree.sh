# make-tree.sh DIR FILES: makes a tree of FILES regular files in DIR, with what trips servers up: odd names, links of both
# kinds, every length around a page and a READ, modes, old and odd times. Runs on the host (busybox).
set -eu
LC_ALL=C; export LC_ALL
umask 022
dir=$1 files=$2
mkdir -p "$dir"; cd "$dir"

# The odd names first; what is left of FILES is plain.
mkdir odd; cd odd
long=$(printf '%0255d' 7)
euro=$(printf '\342\202\254%.0s' $(seq 85))          # 255 bytes, 85 characters
for name in 'with space' ' leading' 'trailing ' '-rf' '*' '?' "quote'\"" 'back\slash' '$HOME' '#' '~' '...' '.hidden' '%2e%2e' \
  "$(printf 'new\nline')" "$(printf 'tab\there')" "$(printf 'bell\007')" "$(printf '\377\376not utf-8')" "$(printf 'cut\303')" \
  "$(printf 'caf\303\251')" "$(printf 'cafe\314\201')" 'CASE' 'case' "$long" "$euro" 'CON' 'a:b' 'a|b<c>d'; do
  printf 'I am called %s' "$name" >"$name"
done
cd ..
made=28

# Lengths at which something changes: pages, XDR padding, one READ or WRITE of the usual sizes.
mkdir sizes
for size in 0 1 2 3 4 5 4095 4096 4097 65535 65536 65537 1048575 1048576 1048577 2500000; do
  head -c "$size" /dev/urandom >"sizes/$size"
done
made=$((made + 16))

mkdir links
printf 'one file, three names' >links/first
ln links/first links/second; ln links/first odd/third
ln -s first links/to-first
ln -s /nowhere/at/all links/dangling
ln -s ../odd links/to-directory
ln -s "$(printf 'target\nwith\377 bytes')" links/odd-target
ln -s "$(printf '%01023d' 1)" links/long-target
made=$((made + 1))

mkdir modes
for mode in 0000 0400 0600 0644 0755 0777 1644 2755 4755; do printf '%s' "$mode" >"modes/$mode"; chmod "$mode" "modes/$mode"; done
mkdir modes/sticky; chmod 1777 modes/sticky
made=$((made + 9))

mkdir times
for when in 197001010000.00 199912312359.59 203801190314.07; do : >"times/$when"; touch -t "$when" "times/$when"; done
made=$((made + 3))

[ "$(id -u)" != 0 ] || chown 1001:1002 odd/* times/* modes

# Deep and wide, a few hundred bytes each.
deep=deep; for i in 1 2 3 4 5 6 7 8 9 10 11 12; do deep=$deep/level-$i; done
mkdir -p "$deep"; printf 'bottom' >"$deep/bottom"
made=$((made + 1))
i=0
while [ "$made" -lt "$files" ]; do
  d=plain/$((i / 100)); [ -d "$d" ] || mkdir -p "$d"
  printf 'file %d of this tree, and a line more for it to be some length: %0'$((i % 300 + 1))'d\n' "$i" 0 >"$d/$i"
  i=$((i + 1)) made=$((made + 1))
done
