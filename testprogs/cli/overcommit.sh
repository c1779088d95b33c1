# Where the kernel promises no more memory than there is (vm.overcommit_memory = 2), what the library reserves is
# charged to the program. The setting is the whole machine's, so it is not changed here: the test runs where it is set.
if [ "$(cat /proc/sys/vm/overcommit_memory 2>/dev/null)" = 2 ]; then
	gives 0 '' "$wh" run -- sh -c 'ls / >/dev/null; true'
	gives 0 'leak ' "$wh" run -v "$progs/leak_exit"
else
	skip 'strict overcommit' "vm.overcommit_memory is $(cat /proc/sys/vm/overcommit_memory 2>/dev/null), not 2"
fi
