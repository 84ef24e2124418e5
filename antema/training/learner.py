"""A network, its optimiser and the compiled step of learning."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import nnx

from antema.domain import AntemaError
from antema.nets.weights import Weights, first_weights, flat_weights, folded, set_weights, unfolded


class Learner:
    """A network that learns.

    Parameters
    ----------
    build : callable
        Gives the network with batch normalisation; called in `nnx.eval_shape`.
    loss : callable
        From network and the arrays of a batch to what learning makes small.
    start : dict or None
        Weights of an inference network of this architecture to go on from; None: random ones.
    seed : int
        Of the random ones.
    weight_decay : float
        Share of each weight that a step of rate 1 takes off.

    Raises
    ------
    AntemaError
        Where `start` is of another architecture.
    """

    def __init__(
        self,
        build: Callable[[], nnx.Module],
        loss: Callable[..., jax.Array],
        *,
        start: Weights | None = None,
        seed: int = 0,
        weight_decay: float = 1e-4,
    ) -> None:
        network = nnx.eval_shape(build)
        try:
            set_weights(network, first_weights(network, seed) if start is None else unfolded(start, network))
        except ValueError as error:
            msg = f"expected weights of the same architecture to go on from, found others ({error})"
            raise AntemaError(msg) from error
        graph, parameters, statistics = nnx.split(network, nnx.Param, nnx.BatchStat)
        direction = optax.chain(
            optax.clip_by_global_norm(5.0), optax.scale_by_adam(), optax.add_decayed_weights(weight_decay)
        )
        self.graph = graph
        self.state = (parameters, statistics, direction.init(parameters))

        def loss_of(parameters: nnx.State, statistics: nnx.State, batch: tuple[jax.Array, ...], settled: bool):  # noqa: ANN202, FBT001
            network = nnx.merge(graph, parameters, statistics, copy=True)
            if settled:
                network.eval()
            value = loss(network, *batch)
            return value, nnx.state(network, nnx.BatchStat)

        @partial(jax.jit, static_argnums=3)
        def step(state: tuple[Any, ...], batch: tuple[jax.Array, ...], rate: jax.Array, settled: bool):  # noqa: ANN202, FBT001
            parameters, statistics, memory = state
            gradient = jax.value_and_grad(loss_of, has_aux=True)
            (value, statistics), slope = gradient(parameters, statistics, batch, settled)
            update, memory = direction.update(slope, memory, parameters)
            parameters = jax.tree.map(lambda value, change: value - rate * change, parameters, update)
            return (parameters, statistics, memory), value

        self._step = step

    def step(self, batch: tuple[jax.Array, ...], rate: float, *, settled: bool = False) -> float:
        """Learn from one batch, with batch statistics or `settled` ones; return its loss."""
        self.state, loss = self._step(self.state, batch, jnp.float32(rate), settled)
        return float(loss)

    def asked(self, question: Callable[..., jax.Array]) -> Callable[[tuple[jax.Array, ...]], jax.Array]:
        """Return `question`, of the network as inference has it and the arrays of a batch, compiled."""
        graph = self.graph

        @jax.jit
        def ask(parameters: nnx.State, statistics: nnx.State, batch: tuple[jax.Array, ...]) -> jax.Array:
            network = nnx.merge(graph, parameters, statistics, copy=True)
            network.eval()
            return question(network, *batch)

        return lambda batch: ask(self.state[0], self.state[1], batch)

    def weights(self) -> Weights:
        """Return the weights of the inference network."""
        return folded(flat_weights(nnx.merge(self.graph, self.state[0], self.state[1])))
