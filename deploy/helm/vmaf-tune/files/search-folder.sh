# usage: search-folder.sh INPUT RESULTS SECONDS COMMAND...
# One `COMMAND -i FILE --json` for each file of INPUT that has no result in RESULTS; then again after SECONDS, for ever.
# FILE.json is a result (exit 0, or 3: the target cannot be met). What is refused (exit 2) waits until the file is newer or
# /tmp is new, as it is in a pod with other settings; after any other exit the next round tries again.
set -u
input=$1 results=$2 seconds=$3
shift 3
refused=${TMPDIR:-/tmp}/refused
mkdir -p "$refused"

child=
trap '[ -z "$child" ] || kill "$child" 2>/dev/null; wait; exit 143' INT TERM

# A trap waits for a command in the foreground, but not for `wait`.
run() {
  "$@" &
  child=$!
  wait "$child"
  code=$?
  child=
}

while :; do
  for file in "$input"/*; do
    name=${file##*/}
    [ -f "$file" ] && [ ! -e "$results/$name.json" ] || continue
    [ ! -e "$refused/$name" ] || [ "$file" -nt "$refused/$name" ] || continue
    run "$@" -i "$file" --json >"$results/$name.part"
    case $code in
      0 | 3) mv "$results/$name.part" "$results/$name.json" ;;
      2) mv "$results/$name.part" "$refused/$name" ;;
      *) rm -f "$results/$name.part" ;;
    esac
  done
  run sleep "$seconds"
done
