/*
 * The runner's own test: a line that the runner does not know must not pass unseen.
 *
 * EXPECTS: nothing
 */
int main(void)
{
	return 0;
}
