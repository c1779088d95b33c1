# Stacks beside libunwind's (the option verify_stacks): what the reports say, and where there is no libunwind.
if [ -e /usr/lib/x86_64-linux-gnu/libunwind.so.8 ]; then
	gives 0 'note: [0-9,]+ stacks were compared with libunwind.s: 0 differed' \
		"$wh" run -v --set verify_stacks=1 --json="$place/verified.json" sh -c 'git --version; ls / >/dev/null'
	holds 'the JSON report says how many stacks were compared' \
		jq -es 'map(.coverage.verified_stacks) | all(.every == 1 and .compared > 0 and .mismatched == 0)' "$place/verified.json"
else
	skip 'stacks beside those of libunwind' 'libunwind.so.8 is not installed'
fi
gives 0 '' "$wh" run --json="$place/verified.json" true
holds 'a report says nothing of stacks that nobody compared' \
	jq -es 'all(.coverage | has("verified_stacks") | not)' "$place/verified.json"
mkdir -p "$place/no-libunwind"
: >"$place/no-libunwind/libunwind.so.8"
gives 0 '' env LD_LIBRARY_PATH="$place/no-libunwind" "$wh" run --set verify_stacks=1 true
holds 'where libunwind is not there, it is one line that says so' \
	test "$(sed 's/^whoholds\[[0-9]*\]: //' "$place/err")" = 'libunwind.so.8 is not there; verify_stacks compares nothing'
