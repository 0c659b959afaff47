#!/usr/bin/env bash
# Makes the two font files of this folder: subset.sh FOLDER, where FOLDER holds the .otf files of Debian's fonts-inter.
# Needs pyftsubset (PyPI: fonttools). Latin, Greek, Cyrillic, punctuation, currency signs, arrows, a few signs.
set -euo pipefail
here=$(dirname "$0")
unicodes="U+0020-007E,U+00A0-024F,U+0259,U+02B9-02BF,U+02C6-02C7,U+02D8-02DD,U+0300-0345,U+0370-03FF,U+0400-04FF"
unicodes+=",U+1E00-1EFF,U+2000-206F,U+2070-209F,U+20A0-20C0,U+2100-214F,U+2190-21FF,U+2212,U+221E,U+2248,U+2260"
unicodes+=",U+2264-2265,U+25A0-25A1,U+25CF,U+FFFD"
for weight in Regular SemiBold; do
    pyftsubset "$1/Inter-$weight.otf" --output-file="$here/Inter-$weight.otf" --unicodes="$unicodes" \
        --layout-features=kern,mark,mkmk,ccmp,locl --name-IDs=0,1,2,3,4,5,6,13,14,16,17 --no-hinting
done
