# `make help` lists the targets. Nothing but Go and make is needed for `run` and `build`;
# `test` installs what else it needs (see .ci/tools).

GO ?= go
# Under CI every test is named in the log, so that what ran can be counted.
GOTESTFLAGS ?= $(if $(CI),-v)
FUZZTIME ?= 20s
BENCHTIME ?= 1s
# How many people `bench` makes up for directory and scope; the reference case is 35000000.
PEOPLE ?= 1000000
# The race detector links C; without a compiler the same tests run without it, and say so.
RACE := $(shell command -v gcc >/dev/null 2>&1 || command -v clang >/dev/null 2>&1 && echo -race)

.DEFAULT_GOAL := help

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: run
run: build ## build, start Cordon with the example organisation and print the console's one-time link; Ctrl-C ends all
	@CGO_ENABLED=0 $(GO) -C examples/photos build -o ../../bin/photos .
	@cd examples/photos && exec ../../bin/photos --cordon ../../bin/cordon

.PHONY: build
build: ## bin/cordon and bin/cordon-verify
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -o bin/ ./cmd/...

.PHONY: test
test: ## everything that CI runs
	@.ci/tools
	@$(MAKE) --no-print-directory lint test-race test-nested vuln

.PHONY: lint
lint: ## gofmt, go vet and staticcheck (staticcheck.conf)
	@.ci/lint

.PHONY: test-race
test-race: ## the product's own tests under the race detector
	$(if $(RACE),,@echo "test: no C compiler here: running without the race detector" >&2)
	$(GO) test $(RACE) $(GOTESTFLAGS) -timeout 20m ./...

.PHONY: test-nested
test-nested: ## the modules under test/ and examples/, with the vendors' real SDKs
	@.ci/nested

.PHONY: vuln
vuln: ## govulncheck, where its database can be reached
	@.ci/vuln

.PHONY: crash
crash: ## wire against ledger: 200 rounds of kill -9 under load (CI runs a few)
	CORDON_CRASH_ROUNDS=200 $(GO) test -count=1 -v -timeout 120m ./test/crash

.PHONY: corrupt
corrupt: ## every bit of every file of a small store, and each call to the disk failing once (hours; CI runs a sample)
	CORDON_CORRUPT=all $(GO) test -count=1 -v -timeout 600m ./test/corrupt
	CORDON_FAULT_ROUNDS=0 $(GO) test -count=1 -v -timeout 60m -run TestSystemCallsFailingOnce ./test/crash
	$(GO) test -count=1 -v -run 'TestEachCallOfACommitFailingOnce|TestDamageToAnyFile' ./internal/ledger

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME (20s) each
	@FUZZTIME=$(FUZZTIME) .ci/fuzz

.PHONY: bench
bench: build ## side by side with plain Go, nginx, haproxy, mitmproxy, a bare group commit, Go's regexp and npm's redactors, ClickHouse and DuckDB (PEOPLE=35000000 for the reference case); results in bench/out
	@mkdir -p bench/out
	$(GO) run ./bench/gateway -cordon bin/cordon -out bench/out
	$(GO) run ./bench/ledger -out bench/out
	$(GO) run ./bench/detect -out bench/out
	$(GO) run ./bench/evidence -out bench/out
	$(GO) run ./bench/people --people $(PEOPLE) -o bench/out/people.csv
	$(GO) run ./bench/people --import bench/out/people.csv
	$(GO) run ./bench/scope -people $(PEOPLE) -peers bench/out/scope-peers -out bench/out/scope.json
