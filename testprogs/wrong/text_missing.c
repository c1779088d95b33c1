/*
 * The runner's own test: expects a text that is not in the report.
 *
 * EXPECT: no report says this
 */
int main(void)
{
	return 0;
}
