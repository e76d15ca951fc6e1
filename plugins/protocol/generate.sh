#!/bin/sh
# Writes the Go and Python code of game.proto. Needs a Python with grpcio-tools
# (PYTHON, python3 by default), which brings protoc. An old version of it makes
# code that old and new versions of protobuf run: 1.71.2 is what CI checks with.
set -eu
cd "$(dirname "$0")/../.."
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN=$tools go install tool
PATH=$tools:$PATH "${PYTHON:-python3}" -m grpc_tools.protoc -I plugins/protocol \
	--go_out=plugins/protocol --go_opt=paths=source_relative \
	--go-grpc_out=plugins/protocol --go-grpc_opt=paths=source_relative \
	game.proto
"${PYTHON:-python3}" -m grpc_tools.protoc -I agon_game=plugins/protocol \
	--python_out=plugins/python/src --pyi_out=plugins/python/src \
	agon_game/game.proto
