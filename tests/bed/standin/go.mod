// Programs that behave as Flame's do, where it matters to whoever runs them on Kubernetes.
module flamectl.test/bed/standin

go 1.25.0
