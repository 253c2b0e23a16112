# manifest.sh DIR: what DIR holds, one line for each entry, in the order of the names' bytes: name and link target in
# hexadecimal (either may hold any byte), type and mode, links, owner, size, time, content's SHA-1. The guest makes it of the
# mounted directory and the host of the exported one, with the same program: equal text is an equal tree.
# What file systems differ in is left out: a directory's size and link count, a symbolic link's time.
LC_ALL=C; export LC_ALL
cd "$1" || exit 1
work=$(mktemp -d) || exit 1
hex_lines() { xxd -p -c1 | awk '$1 == "00" { print n; n = ""; next } { n = n $1 }'; }   # NUL-ended items, one line each

# Few processes for all files together: a guest in an emulator starts only tens of them a second. Each find meets the entries in the
# same order, since nothing changes meanwhile. (Not by xargs: busybox 1.35's cuts names in two where its buffer ends, or never ends.)
find . -print0 | hex_lines >"$work/names"
find . -exec stat -c '%f %h %u:%g %s %Y' {} + >"$work/stat"
find . -type f -exec sha1sum {} + | grep -aoE '^\\?[0-9a-f]{40}  ' | tr -d '\\ ' >"$work/sums"
find . -type l -exec sh -c 'for link; do readlink -n "$link"; printf "\000"; done' sh {} + | hex_lines >"$work/links"
paste -d' ' "$work/names" "$work/stat" | awk -v sums="$work/sums" -v links="$work/links" '
  $2 ~ /^4/ { print $1, $2, "-", $4, "-", $6, "-"; next }
  $2 ~ /^a/ { getline target <links; print $1, $2, $3, $4, $5, "-", target; next }
  $2 ~ /^8/ { getline sum <sums; print $1, $2, $3, $4, $5, $6, sum; next }
  { print $0, "-" }' | sort
rm -rf "$work"
