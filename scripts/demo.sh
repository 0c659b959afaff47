#!/usr/bin/env bash
# demo.sh PROGRAM FOLDER: makes a sample project in FOLDER, loads it, prints its report and says where to look next.
set -euo pipefail
program="$1"
folder="$2"

# Shows a command as a reader would type it, then runs it.
run() {
    printf '\n$ stillhouse %s\n' "$*"
    "$program" "$@"
}

rm -rf "$folder"
run init "$folder" --template events
run -C "$folder" run all
run -C "$folder" run all
run -C "$folder" receipts list
cat <<END

The project lies in $folder/: its settings in stillhouse.toml, sources/ and reports/, its files in data/, its tables in
lake/. The second run found nothing to do. Next, with $program as stillhouse:

  stillhouse -C $folder report list
  stillhouse -C $folder tables
  stillhouse -C $folder sql 'select action, count(*) from events group by action order by 2 desc'
  stillhouse -C $folder quarantine list

Put a file of your own at $folder/data/YYYY/MM/events.csv and run again.
END
