/*
 * The runner's own test: ends with another status.
 *
 * EXPECT-STATUS: 3
 */
int main(void)
{
	return 4;
}
