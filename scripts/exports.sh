#!/bin/sh
# Prints the linker's version script of the library: the interposed names out of the tables,
# and what whoholds.h promises. Everything else stays hidden.
set -eu
cd "$(dirname "$0")/.."
echo '{ global:'
sed -n 's/^SYM(\([A-Za-z0-9_]*\),.*/\t\1;/p' shim/platform/symbols.def
[ ! -f shim/platform/operators.def ] || sed -n 's/^OPERATOR(\([A-Za-z0-9_]*\),.*/\t\1;/p' shim/platform/operators.def
printf '\twh_*;\n'
echo 'local: *; };'
