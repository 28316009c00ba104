"""The defences' training steps in PyTorch, float64, written from the papers' equations.

Each function takes ``J(δ)``, the batch-mean cross-entropy of the network at E + δ with a graph for
autograd, the attention mask, the initial δ and the settings; it returns the loss that the method
reports, the gradient of every parameter and the last δ. ``J.number`` says which pass comes next:
each may have dropout masks of its own. ``J.objective`` is what the parameters are to descend: J
itself, or what a method that floods row by row makes of the rows' losses ``J.each``.
"""

from collections.abc import Callable

import torch

Loss = Callable[[torch.Tensor | None], torch.Tensor]


def initial(unit, mask, *, magnitude, norm):
    """uniform(-1, 1)·m·mag/√(L_i·d), or uniform(-mag, mag)·m."""
    delta = unit * mask[..., None]
    for row in range(len(delta)):
        share = (mask[row].sum() * delta.shape[2]).sqrt() if norm == "l2" else 1.0
        delta[row] = delta[row] * magnitude / share
    return delta


def ascended(delta, gradient, *, step_size, radius, norm, normalise=True):
    """Π_ε(δ + η·g/‖g‖), or with g as it is, sample by sample."""
    result = torch.empty_like(delta)
    for row in range(len(delta)):
        g = gradient[row]
        length = g.norm() if norm == "l2" else g.abs().max()
        new = delta[row] + step_size * g / (max(length.item(), 1e-8) if normalise else 1.0)
        if radius > 0 and norm == "l2" and new.norm() > radius:
            new = new * (radius / new.norm())
        elif radius > 0 and norm == "linf":
            new = new.clamp(-radius, radius)
        result[row] = new
    return result


def gradients(value, parameters):
    found = torch.autograd.grad(value, list(parameters.values()), allow_unused=True)
    return {
        name: torch.zeros_like(p) if g is None else g
        for (name, p), g in zip(parameters.items(), found, strict=True)
    }


def input_gradient(J: Loss, delta):
    delta = delta.detach().requires_grad_()
    return torch.autograd.grad(J(delta), delta)[0]


def pgd(J: Loss, parameters, delta, *, steps, **ascent):
    """FreeLB §3.1: min over θ of J at the δ of K projected ascents."""
    for J.number in range(steps):
        delta = ascended(delta, input_gradient(J, delta), **ascent)
    J.number = steps
    return J(delta).item(), gradients(J.objective(J.each(delta)), parameters), delta


def freelb(J: Loss, parameters, delta, *, steps, variant="paper", **ascent):
    """FreeLB Algorithm 1: g_t = g_{t-1} + (1/K)·∇_θ J(δ_{t-1}), then δ_t; the release: K + 1."""
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    losses = []
    passes = steps + (variant == "release")
    for J.number in range(passes):
        losses.append(J(delta).item())
        for name, g in gradients(J.objective(J.each(delta)), parameters).items():
            total[name] += g / passes
        delta = ascended(delta, input_gradient(J, delta), **ascent)
    return sum(losses) / passes, total, delta


def pgd_at(J: Loss, parameters, delta, *, steps, **ascent):
    """Altinisik et al. Algorithm 1, PGD-AT: ∇_θ l(f(x), y) + ∇_θ l(f(x + δ), y).

    g_adv = ∇_δ l is a sample's own, whatever the batch that it is in.
    """
    for J.number in range(steps):
        climb = input_gradient(lambda d: J.each(d)[J.weights > 0].sum(), delta)
        delta = ascended(delta, climb, **ascent)
    J.number = steps
    value = J(None)
    losses = J.each(None)
    counts = losses.detach().requires_grad_()  # d objective/d ℓ_i at the clean losses turns both
    turned = torch.autograd.grad(J.objective(counts), counts)[0]
    clean = gradients(turned @ losses, parameters)
    J.number = steps + 1
    adversarial = gradients(turned @ J.each(delta), parameters)
    total = {name: clean[name] + adversarial[name] for name in clean}
    return value.item(), total, delta


def lds(J: Loss, parameters, delta, *, steps, **ascent):
    """Altinisik et al. Algorithm 1, LDS: δ ascends l(f(x), f(x + δ)), which is added to J."""

    def smoothness(delta, number):
        J.number = steps
        p = torch.softmax(J.logits(None), -1)
        J.number = number
        q = torch.softmax(J.logits(delta), -1)
        return (p * (p / q).log()).sum(-1)

    for k in range(steps):
        climb = input_gradient(lambda d, k=k: smoothness(d, k)[J.weights > 0].sum(), delta)
        delta = ascended(delta, climb, **ascent)
    J.number = steps
    value = J(None)
    total = value + J.weights @ smoothness(delta, steps + 1)
    return value.item(), gradients(total, parameters), delta


def freeat(J: Loss, parameters, delta, *, steps, level, rate, **ascent):
    """Shafahi et al. Algorithm 1 with SGD: θ descends and δ ascends on the same pass, K times."""
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    losses = []
    for J.number in range(steps):
        value = J(delta)
        losses.append(value.item())
        sign = 1.0 if level is None else (value - level).sign().item()
        found, climb = gradients(value, parameters), input_gradient(J, delta)
        for name, p in parameters.items():
            total[name] += sign * found[name]
            p.data -= rate * sign * found[name]
        delta = ascended(delta, climb, **ascent)
    return sum(losses) / steps, total, delta


def yopo(J: Loss, parameters, delta, *, steps, inner_steps, variant, step_size, **ascent):
    """FreeLB §4.3: p = ∂J/∂h₁ held fixed, n ascents on ⟨h₁(E + δ), p⟩ of size η/n; m times.

    The release makes one pass more, at the last δ.
    """
    passes = steps + 1 if variant == "release" else steps
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    losses = []
    for J.number in range(passes):
        value, h = J.through_first_layer(delta)
        losses.append(value.item())
        p = torch.autograd.grad(value, h, retain_graph=True)[0].detach()
        for name, g in gradients(value, parameters).items():
            total[name] += g / passes
        for _ in range(inner_steps):
            gradient = input_gradient(lambda d, p=p: (J.through_first_layer(d)[1] * p).sum(), delta)
            delta = ascended(delta, gradient, step_size=step_size / inner_steps, **ascent)
    return sum(losses) / passes, total, delta


def tavat(
    J: Loss, parameters, instance, *, steps, table, ids, mask, variant, norm, radius, step_size
):
    """TAVAT with its table, which is changed in place; δ comes in its two parts.

    The release's batch has the rows that count alone, cut to the longest of them: what is cut off
    has no δ_tok. It clips after an ascent only, so that the first pass is at the δ as it starts.
    """
    release = variant == "release"
    size = (lambda x: x.norm()) if norm == "l2" else (lambda x: x.abs().max())

    def clip():
        for row in range(len(ids)):
            length = size(instance[row] + token[row])
            if 0 < radius < length:
                instance[row] *= radius / length
                token[row] *= radius / length

    counts = J.weights > 0
    token = torch.zeros_like(instance)
    if release:
        longest = int(mask[counts].sum(1).max())
        looked_up = table[ids[counts, :longest]]
        token[counts, :longest] = looked_up / max(looked_up.norm().item(), 1e-8)
    else:
        token[counts] = (table[ids] * mask[..., None])[counts]
        clip()
    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    losses = []
    for k in range(steps):
        J.number = k
        losses.append(J(instance + token).item())
        for name, g in gradients(J.objective(J.each(instance + token)), parameters).items():
            total[name] += g if release else g / steps
        if k + 1 == steps:
            break
        climb = input_gradient(J, instance + token)
        instance = ascended(instance, climb, step_size=step_size, radius=0, norm=norm)
        for row in range(len(ids)):
            for place in range(ids.shape[1]):
                g = climb[row, place] * mask[row, place]
                token[row, place] += step_size * g / max(size(g).item(), 1e-8)
            sizes = torch.stack([size(t) for t in token[row]])
            token[row] *= (sizes / max(sizes.max().item(), 1e-8))[:, None]
        clip()
    if release:
        trimmed = ids[counts, :longest]
        table.index_add_(0, trimmed.flatten(), token[counts, :longest].flatten(0, 1))
    else:
        real = (mask > 0) & counts[:, None]
        for word in ids[real].unique():
            table[word] = token[real & (ids == word)].mean(0)
    return sum(losses) / steps, total, (instance, token)


def infobert(
    J: Loss, parameters, delta, *, steps, uniform, keys, mask, alpha, beta, variant, **ascent
):
    """Σ (J + β·U)/K - Σ α·I/K over K passes; δ ascends J + β·U, whose gradient ranks the tokens."""
    counted = mask * (J.weights > 0)[:, None]

    def compressed(delta, number):
        """U: ½‖y_i - y_π(i)‖² over the real tokens i of the batch."""
        y = J.states(delta)[0][counted > 0]
        shares = uniform[number][counted > 0]
        other = y[(shares * len(y)).floor().long()]
        return (0.5 * (y - other).square().sum(1)).mean()

    def critic(x, y):
        pair = torch.cat([x, y])
        first = torch.cat([parameters["critic.of_x.weight"], parameters["critic.of_y.weight"]])
        hidden = torch.relu(pair @ first + parameters["critic.hidden.bias"])
        score = hidden @ parameters["critic.out.weight"] + parameters["critic.out.bias"]
        return torch.nn.functional.softplus(score)[0]

    def bounds(chunk):
        """Each anchor's InfoNCE, among the anchors of its chunk."""
        values = []
        for _, _, x, y in chunk:
            others = torch.stack([critic(z, y) for _, _, z, _ in chunk])
            values.append(critic(x, y) - others.exp().mean().log())
        return torch.stack(values)

    def shared(delta, gradient, number):
        """I: over the chunks of the r-th anchors of all sentences, the mean of all anchors.

        The release shuffles the anchors, here by the keys, and has the mean over its chunks.
        """
        tokens, last = J.states(delta)
        anchored = []
        for row in range(len(mask)):
            length = int(mask[row].sum())
            if counted[row].sum() == 0:
                continue
            ranked = gradient[row, :length].norm(dim=1).argsort()
            kept = [t for t in range(length) if 5 * length <= 10 * t < 9 * length]
            for r, rank in enumerate(kept):
                key = keys[number, row, r].item() if variant == "release" else 0.0
                anchored.append((r, key, tokens[row, ranked[rank]], last[row, 0]))
        if variant == "release":
            order = sorted(anchored, key=lambda anchor: anchor[1])
            chunks = [order[i : i + len(mask)] for i in range(0, len(order), len(mask))]
            return torch.stack([bounds(chunk).mean() for chunk in chunks]).mean()
        chunks = [[a for a in anchored if a[0] == r] for r in {a[0] for a in anchored}]
        return torch.cat([bounds(chunk) for chunk in chunks]).mean()

    total = {name: torch.zeros_like(p) for name, p in parameters.items()}
    losses = []
    for k in range(steps):
        J.number = k
        climb = input_gradient(lambda d, k=k: J(d) + beta * compressed(d, k), delta)
        value = J(delta)
        losses.append(value.item())
        objective = value + beta * compressed(delta, k) - alpha * shared(delta, climb, k)
        for name, g in gradients(objective, parameters).items():
            total[name] += g / steps
        delta = ascended(delta, climb, **ascent)
    return sum(losses) / steps, total, delta
