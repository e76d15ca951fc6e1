# Everyday commands. .ci/run is the whole check; `make ci` runs it.
.PHONY: build test lint race bench ci

# On amd64 the Go backend's matrix products use SIMD where the toolchain's
# experiment is switched on: inference is two to four times faster.
build:
	GOEXPERIMENT=simd go build ./cmd/agon

test:
	go test ./...

lint:
	.ci/run format vet layout lint

race:
	.ci/run race

bench:
	go test -run '^$$' -bench . -benchtime 0.5s ./...

ci:
	.ci/run
