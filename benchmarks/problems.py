"""The data sets of the regression benchmarks: standardised columns, correlation .5 between neighbours, SNR 5."""

import numpy as np
import scipy.sparse


def design(n, p, correlation=0.5, seed=0):
    """Standardised columns in Fortran order, as the peers want them."""
    rng = np.random.default_rng(seed)
    X = np.empty((n, p), order="F")
    X[:, 0] = rng.standard_normal(n)
    for j in range(1, p):
        X[:, j] = correlation * X[:, j - 1] + np.sqrt(1 - correlation**2) * rng.standard_normal(n)
    X -= X.mean(axis=0)
    X /= X.std(axis=0)
    return X


def signal(X, nonzeros, seed=1, snr=5.0):
    """Xw of some coefficients, and what noise of the signal-to-noise ratio adds."""
    rng = np.random.default_rng(seed)
    w = np.zeros(X.shape[1])
    w[rng.choice(X.shape[1], nonzeros, replace=False)] = rng.standard_normal(nonzeros)
    eta = np.asarray(X @ w)
    return eta, eta.std() / np.sqrt(snr) * rng.standard_normal(X.shape[0])


def gaussian(n, p, nonzeros):
    """A response with noise, centred."""
    X = design(n, p)
    eta, noise = signal(X, nonzeros)
    y = eta + noise
    return X, y - y.mean()


def sparse_gaussian(n, p, density, nonzeros):
    """Sparse columns in CSC, not centred."""
    rng = np.random.default_rng(0)
    X = scipy.sparse.random(n, p, density, format="csc", random_state=rng, data_rvs=rng.standard_normal)
    eta, noise = signal(X, nonzeros)
    return X, eta + noise


def sparse_binary(n, p, density, nonzeros):
    """The same data, and the sign of the response."""
    X, y = sparse_gaussian(n, p, density, nonzeros)
    return X, (y > 0).astype(float)


def binary(n, p, nonzeros):
    """Labels 0 and 1 of a logistic model."""
    X = design(n, p)
    eta, noise = signal(X, nonzeros)
    return X, (eta + noise > 0).astype(float)


def counts(n, p, nonzeros):
    """Poisson counts of mean about 1."""
    X = design(n, p)
    eta = signal(X, nonzeros)[0]
    return X, np.random.default_rng(2).poisson(np.exp(0.5 * eta / eta.std())).astype(float)


def durations(n, p, nonzeros):
    """Gamma responses of shape 2 and mean about 1."""
    X = design(n, p)
    eta = signal(X, nonzeros)[0]
    return X, np.random.default_rng(2).gamma(2.0, np.exp(0.5 * eta / eta.std()) / 2.0)


def subset(n, p, k, correlation, snr, *, seed=0, adjacent=False, unequal=False):
    """X, a standardised response, and the true support of k columns: ±1 each, or of unequal size.

    The support is spread evenly over the columns; ``adjacent`` puts it side by side, where correlated columns
    stand in for each other.
    """
    X = design(n, p, correlation, seed)
    rng = np.random.default_rng([seed, 1])
    support = (p - k) // 2 + np.arange(k) if adjacent else (np.arange(k) * p) // k + p // (2 * k)
    w = rng.choice([-1.0, 1.0], k) * (rng.uniform(0.3, 1.5, k) if unequal else 1.0)
    eta = X[:, support] @ w
    y = eta + eta.std() / np.sqrt(snr) * rng.standard_normal(n)
    y -= y.mean()
    return X, y / y.std(), support


def diabetes():
    """scikit-learn's diabetes, as it comes."""
    from sklearn.datasets import load_diabetes

    return load_diabetes(return_X_y=True)
