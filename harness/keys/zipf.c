/* Rejection-inversion (W. Hoermann and G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions", ACM TOMACS 6(3), 1996): constant memory and constant expected time for any n and
 * theta. A number is drawn under the continuous hat t^-theta by inversion and rounded to a rank; it is
 * accepted if it lies in that rank's bar, which is as wide as 1 and as high as the hat at the rank. */
#include "harness/keys/zipf.h"

#include <math.h>

#include "harness/base/rng.h"

/* (e^x - 1) / x, continued to x = 0. */
static double expm1_ratio(double x) {
    return fabs(x) < 1e-8 ? 1 + x / 2 : expm1(x) / x;
}

/* log(1 + x) / x, continued to x = 0. */
static double log1p_ratio(double x) {
    return fabs(x) < 1e-8 ? 1 - x / 2 : log1p(x) / x;
}

/* The hat's antiderivative (x^(1-theta) - 1) / (1-theta), in a form that is exact through theta = 1, where it
 * is log x. */
static double area(double x, double theta) {
    double l = log(x);
    return l * expm1_ratio((1 - theta) * l);
}

static double area_inverse(double a, double theta) {
    double t = (1 - theta) * a;
    if (t < -1) t = -1; /* rounding only: the areas drawn stay above */
    return exp(a * log1p_ratio(t));
}

struct zipf zipf_make(uint64_t n, double theta) {
    struct zipf z = {.n = (double)n, .theta = theta};
    z.area_low = area(1.5, theta) - 1;
    z.area_high = area(z.n + 0.5, theta);
    z.squeeze = 2 - area_inverse(area(2.5, theta) - pow(2, -theta), theta);
    return z;
}

uint64_t zipf_draw(const struct zipf *z, uint64_t *rng) {
    for (;;) {
        double a = z->area_high + rng_unit(rng) * (z->area_low - z->area_high);
        double x = area_inverse(a, z->theta);
        double k = floor(x + 0.5);
        if (k < 1) k = 1;
        if (k > z->n) k = z->n;
        if (k - x <= z->squeeze || a >= area(k + 0.5, z->theta) - pow(k, -z->theta)) return (uint64_t)k;
    }
}
