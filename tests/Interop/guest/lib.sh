# What every guest script begins with. A check prints "ok NAME" or "FAILED NAME: why"; the test on the host reads these lines.
# Arguments of each script: MOUNT-OPTIONS EXPORT [more].
options=$1 export=$2; shift 2
LC_ALL=C TZ=UTC; export LC_ALL TZ

mount_export() { # DIR
  nfsmount -o "$options" "server:$export" "$1" || { echo "FAILED mount: $(dmesg | tail -n 1)"; exit 1; }
}

# is NAME VALUE DUE
is() {
  if [ "$2" = "$3" ]; then echo "ok $1"; else echo "FAILED $1: got '$2', due '$3'"; fi
}

# succeeds NAME COMMAND...
succeeds() {
  local name=$1 said; shift
  if said=$("$@" 2>&1); then echo "ok $name"; else echo "FAILED $name: $* said: $said"; fi
}

# fails NAME ERROR COMMAND...: the command must fail and name this error.
fails() {
  local name=$1 error=$2 said; shift 2
  if said=$("$@" 2>&1); then echo "FAILED $name: $* succeeded; due: $error"; return; fi
  case $said in *"$error"*) echo "ok $name" ;; *) echo "FAILED $name: $* said: $said; due: $error" ;; esac
}

# Nothing of what was written or read stays cached: what comes next comes from the server.
forget() { sync; echo 3 >/proc/sys/vm/drop_caches; }
