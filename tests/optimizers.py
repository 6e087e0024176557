"""Every optimiser whose metric is known, with the options that change it."""

from functools import partial

from torch import optim

OPTIMIZERS = {
    "sgd": partial(optim.SGD, lr=0.1),
    "momentum": partial(optim.SGD, lr=0.1, momentum=0.9),
    "nesterov": partial(optim.SGD, lr=0.1, momentum=0.9, nesterov=True),
    "dampening": partial(optim.SGD, lr=0.1, momentum=0.9, dampening=0.5),
    "asgd": partial(optim.ASGD, lr=0.1, lambd=0.0),
    "adam": partial(optim.Adam, lr=0.01),
    "amsgrad": partial(optim.Adam, lr=0.01, amsgrad=True),
    "adamw": partial(optim.AdamW, lr=0.01, weight_decay=0.0),
    "adamax": partial(optim.Adamax, lr=0.01),
    "nadam": partial(optim.NAdam, lr=0.01),
    "radam": partial(optim.RAdam, lr=0.01),
    "radam, never rectified": partial(optim.RAdam, lr=0.01, betas=(0.9, 0.5)),
    "rmsprop": partial(optim.RMSprop, lr=0.01),
    "rmsprop, momentum": partial(optim.RMSprop, lr=0.01, momentum=0.9),
    "rmsprop, centred": partial(optim.RMSprop, lr=1e-4, centered=True, alpha=0.9),
    "adagrad": partial(optim.Adagrad, lr=0.1),
    "adagrad, options": partial(optim.Adagrad, lr=0.1, lr_decay=0.01, initial_accumulator_value=0.5),
    "adadelta": partial(optim.Adadelta, lr=1.0),
}
ADAPTIVE = [name for name in OPTIMIZERS if name not in ("sgd", "momentum", "nesterov", "dampening", "asgd")]
