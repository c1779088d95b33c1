/*
 * The runner's own test: is said to hang, and ends.
 *
 * HANGS: yes
 * EXPECT: error deadlock
 * TIMEOUT: 10
 */
int main(void)
{
	return 0;
}
