#!/usr/bin/env bash
# Does a Python with its own pair of packages (constraints.txt) run what mindflood is? It installs them,
# runs the oracles and the demo, and compares the step's speed with another pair's:
#
#   tools/check_platform.sh PYTHON FOLDER [OTHER_PYTHON]
#   tools/check_platform.sh python3.12 newer .venv/bin/python
#
# FOLDER/venv is made, or completed where it is there; FOLDER/runs is the demo's output. OTHER_PYTHON is
# an interpreter that mindflood's packages are installed for. MARKS=' ' runs the slow oracles too (over
# an hour), which need MindSpore's memory back between them: hence the pieces. DEMO has settings of the
# demo, for a machine that is busy: DEMO='task.train_examples=200 attack.num_examples=10'.
set -euo pipefail
[ $# -ge 2 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit 2; }
python=$1 folder=$(realpath -m "$2") other=${3:-}
marks=${MARKS:-not slow}
case $other in */*) other=$(realpath -s "$other") ;; esac
cd "$(dirname "$0")/.."

step() { printf '\n== %s (%s)\n' "$1" "$(date +%H:%M:%S)"; }

step "install"
mkdir -p "$folder"
[ -x "$folder/venv/bin/python" ] || "$python" -m venv "$folder/venv"
. "$folder/venv/bin/activate"
pip install --quiet --constraint constraints.txt '.[test]'
python --version
pip list 2>/dev/null | grep -iE '^(mindspore|mindnlp|numpy|torch|transformers|textattack) '

failed=()
oracles() {
  step "oracles: $*"
  python -m pytest -p no:cacheprovider -q -m "$marks" "$@" || failed+=("$*")
}
oracles tests/oracle --ignore tests/oracle/test_defences.py
for method in pgd freelb yopo tavat infobert lds; do
  oracles tests/oracle/test_defences.py -k "$method"
done

step "demo"
read -ra settings <<< "${DEMO:-}"
mindflood run configs/demo.yaml "output=$folder/runs" "${settings[@]}" || failed+=(demo)

step "seconds of a step"
python tools/bench_step.py --rounds 15 --skip-mindnlp ${other:+--against "$other"} || failed+=(bench)

step "end"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[@]}"
  exit 1
fi
echo "all of it runs"
