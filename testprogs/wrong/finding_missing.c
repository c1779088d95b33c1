/*
 * The runner's own test: expects a finding that is not made.
 *
 * KINDS: deadlock
 */
int main(void)
{
	return 0;
}
