#include "registry/sampling.h"

#include "base/hash.h"

/* (1 - x/1024)^1024: within 0.1 % of exp(-x) for x up to 1.4, and libm is not ours to use. */
static double exp_minus(double x)
{
	if (x > 30)
		return 0;
	double power = 1 - x / 1024;
	if (power < 0)
		return 0;
	for (int i = 0; i < 10; i++)
		power *= power;
	return power;
}

/* -ln(u) for 0 < u <= 1, by ln(u) = 1024 * (u^(1/1024) - 1). */
static double minus_log(double u)
{
	for (int i = 0; i < 10; i++)
		__asm__("sqrtsd %0, %0" : "+x"(u));
	return 1024 * (1 - u);
}

struct sampling_weight sampling_weigh(uint64_t size, uint64_t mean)
{
	if (size == 0)
		return (struct sampling_weight){ 0, 1 };
	double chance = 1 - exp_minus((double)size / (double)mean);
	if (chance <= 0)
		chance = (double)size / (double)mean;
	return (struct sampling_weight){ (int64_t)((double)size / chance + 0.5),
					 (int64_t)(1 / chance + 0.5) };
}

int64_t sampling_draw(uint64_t *state, uint64_t mean)
{
	/* Seeded by where the state lies, which differs from thread to thread; then a Weyl sequence, mixed. */
	if (!*state)
		*state = hash_mix((uintptr_t)state);
	*state += UINT64_C(0x9e3779b97f4a7c15);
	double u = ((double)(hash_mix(*state) >> 11) + 1) / 9007199254740993.0;
	return (int64_t)(minus_log(u) * (double)mean) + 1;
}
