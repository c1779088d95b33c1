# Why something is alive, asked of a running program.
mkfifo "$place/why-input"
WHOHOLDS_OPTIONS=keep=on LD_PRELOAD=$build/lib/libwhoholds.so "$progs/why_paths" <"$place/why-input" >"$place/why-says" 2>/dev/null &
why_pid=$!
exec 7>"$place/why-input"
soon grep -q ready "$place/why-says"
why_addr() {
	awk -v name="$1" '$1 == "addr" && $2 == name { print $3 }' "$place/why-says"
}
why_json() { # why_json WHAT EXPRESSION
	timeout -k 1 30 "$wh" why --format=json $why_pid "$1" 2>"$place/err" | jq -e "$2" >/dev/null
}
gives 0 'the variable sessions.*\(why_paths .bss\)' "$wh" why $why_pid "$(why_addr buffer)"
holds 'a path through a C++ map begins at the map and ends at what holds the block' \
	why_json "$(why_addr buffer)" '.why.blocks[0] | .bytes == 4096 and .lost == false and .path[0].holder == "variable" and
		(.path[0].name | startswith("sessions")) and (.path[1:] | all(.holder == "block" and .offset >= 0)) and .length == (.path | length)'
gives 0 'the stack of thread 2 .*in the frame of worker|the stack of thread 2 .*in what ' "$wh" why $why_pid "$(why_addr local)"
gives 0 'a thread-local variable of thread 2' "$wh" why $why_pid "$(why_addr scratch)"
gives 0 'a thread-specific value .* of thread 1' "$wh" why $why_pid "$(why_addr specific)"
gives 0 'lies at \+120 in a block of 500' "$wh" why $why_pid "$(why_addr inside)"
gives 0 'the variable inside' "$wh" why $why_pid "$(why_addr inside)"
gives 0 '\.\.\. [0-9]+ more like it, each of which leads to the next' "$wh" why $why_pid "$(why_addr node)"
holds 'what a node of a list keeps alive is what is behind it, and of a long way the ends are told' \
	why_json "$(why_addr node)" '.why | .retained_blocks == 10 and .retained_bytes == 160 and .blocks[0].length == 991 and
		(.blocks[0].path | length) < 100 and .blocks[0].path[0].name == "head (why_paths .bss)"'
gives 0 'in 1,000 blocks live from' "$wh" why $why_pid make_node
holds 'a call site is asked about by its function, or by the number of its stack' \
	why_json make_node '.why | .live_blocks == 1000 and .retained_blocks == 1000 and (.blocks | length) == 3'
holds 'the number of a stack in a report does as well' \
	why_json "$(timeout 30 "$wh" why --format=json $why_pid make_node | jq .why.stack)" '.why.live_blocks == 1000'
gives 125 'nothing that is known to be allocated is there' "$wh" why $why_pid 0x10
gives 2 'neither an address' "$wh" why $why_pid no_such_function
gives 2 'why wants a pid' "$wh" why $why_pid
gives 2 'neither a pid nor a recording' "$wh" why no-such-file 0x10
kills $why_pid
exec 7>&-
why_file=$(ls "$WHOHOLDS_DIR"/why_paths.$why_pid.whr)
gives 125 'has ended, and with it the memory' "$wh" why "$why_file" 0x10
gives 125 'of that site 16000 bytes in 1000 blocks were live at the end' "$wh" why "$why_file" make_node
rm -f "$why_file"
