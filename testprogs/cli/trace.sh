# shellcheck shell=bash disable=SC2154
# A timeline of iterations, for trace viewers.

trace=$place/trace.json
"$wh" run --set spans=100% --format=trace -o "$trace" "$progs/clean/spans" >/dev/null 2>&1
spans() { # spans EXPRESSION: of jq, on the array of iterations
	jq -e "[.traceEvents[] | select(.cat == \"iteration\")] | $1" "$trace" >/dev/null
}
holds 'a trace has every iteration' spans 'length == 10'
holds '... with begin and end' spans 'all(.ph == "X" and .dur >= 150000 and .ts >= 0 and (.args.open | not))'
holds '... with what was allocated and freed meanwhile' spans 'all(.args.allocated_bytes == 100000 and .args.freed_bytes == 50000)'
holds '... with where it was opened' spans 'all(.args.opened[0] | startswith("scan spans.c:"))'
holds '... with the time that it was off the processor' spans 'all(.args.not_on_cpu_us > 100000)'
holds '... with what it was blocked in' spans 'any(.args.blocked_in == "nanosleep" or .args.blocked_in == "clock_nanosleep")'
holds 'a trace names threads' jq -e '.traceEvents[] | select(.name == "thread_name").args.name' "$trace"
"$wh" run --set spans=0.0001% --format=trace -o "$trace" "$progs/clean/spans" >/dev/null 2>&1
holds 'a small sample of few iterations is none' spans 'length < 10'
