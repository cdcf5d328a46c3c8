#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints polynomials.def: polynomials that equal a function at the Chebyshev nodes of its interval.

Needs mpmath. math.c says how each is used; tests/cpu/test_math.c how exact the results are."""
from mpmath import mp, mpf, matrix, lu_solve, cos, pi, exp, log, tanh, erf, erfc, sqrt

mp.dps = 60


def fit(f, lo, hi, degree):
    """Coefficients, of x^0 first."""
    n = degree + 1
    nodes = [(lo + hi) / 2 + (hi - lo) / 2 * cos(pi * (2 * k + 1) / (2 * n)) for k in range(n)]
    rows = matrix(n, n)
    for i, x in enumerate(nodes):
        for j in range(n):
            rows[i, j] = x**j
    return list(lu_solve(rows, matrix([f(x) for x in nodes])))


def show(name, meaning, coefficients):
    print(f"TSR_POLYNOMIAL({name}, \"{meaning}\",")
    print("               " + ", ".join(f"{float(c):.17g}" for c in coefficients) + ")")


half = log(mpf(2)) / 2 * mpf("1.001")
print("/* SPDX-License-Identifier: Apache-2.0 */")
print("/* TSR_POLYNOMIAL(name, meaning, coefficients of x^0, x^1, ...): from polynomials.py. */")
show("EXP", "(e^x - 1 - x) / x^2, |x| <= ln(2) / 2",
     fit(lambda x: (exp(x) - 1 - x) / x**2 if abs(x) > mpf(10)**-20 else mpf(1) / 2, -half, half, 4))
show("LOG", "(ln(1 + x) - x + x^2 / 2) / x^3, sqrt(1/2) <= 1 + x <= sqrt(2)",
     fit(lambda x: (log(1 + x) - x + x**2 / 2) / x**3, sqrt(mpf(1) / 2) - 1, sqrt(mpf(2)) - 1, 8))
show("TANH", "(tanh(sqrt(x)) / sqrt(x) - 1) / x, x <= 0.625^2",
     fit(lambda x: (tanh(sqrt(x)) / sqrt(x) - 1) / x, mpf(0), mpf("0.625")**2, 4))
show("ERF", "erf(sqrt(x)) / sqrt(x) - 1, x <= 1",
     fit(lambda x: erf(sqrt(x)) / sqrt(x) - 1, mpf(0), mpf(1), 7))
show("ERFC", "-ln(1 - erf(x + 1)), 0 <= x <= 3",
     fit(lambda x: -log(erfc(x + 1)), mpf(0), mpf(3), 9))
