#!/bin/sh
# probe.c again, for machines without a C compiler.
case $1 in
  exit) exit "$2" ;;
  kill) kill "-$2" $$; exit 98 ;;
  argc) exit $(($# + 1)) ;;
  env)
    given=$(/usr/bin/tr '\0' '\n' < /proc/$$/environ)
    [ "$given" = "HOME=/
KREC=yes" ] && exit 2
    exit 90 ;;
  cwd) [ /proc/$$/cwd -ef / ]; exit $? ;;
  uid) exit "$(/usr/bin/id -u)" ;;
  fds)
    count=0
    for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31; do
      # The shell holds this very file open: that one is not inherited.
      [ -e /proc/$$/fd/$number ] && ! [ /proc/$$/fd/$number -ef "$0" ] && count=$((count + 1))
    done
    exit $count ;;
  args) [ $# -eq 4 ] && [ "$2" = 'a_b;$HOME' ] && [ -z "$3" ] && [ "$4" = '*' ]; exit $? ;;
esac
exit 97
