# SPDX-License-Identifier: Apache-2.0
#
# `make help` lists the targets. Needs Go, git, make and, for the Python SDK, Python 3.11 or
# later with its module venv. Everything else is built from Go modules and from what
# sdk/python/requirements-dev.txt pins: no Docker, and no download without a known hash.

SHELL := /usr/bin/env bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --no-print-directory

GO ?= go
KUBECTL ?= kubectl

# What to test and how: make test PKG=./controllers/... TESTFLAGS='-run Agent -v'
PKG ?= ./...
TESTFLAGS ?=
TEST_TIMEOUT ?= 30m
# Packages tested at once: each envtest suite starts a control plane of its own.
TEST_PARALLEL ?= 2

FUZZTIME ?= 20s
BENCHTIME ?= 1s
# Of `make plugins` and `make krew`.
VERSION ?= v$(shell sed -n 's/^appVersion: *//p' charts/ascend-operator/Chart.yaml)
PLATFORMS ?=
COVER_MIN ?= 95
ARGS ?=

# The packages that take everything as arguments; their coverage is gated.
PURE := $(wildcard internal/risk internal/rules internal/approval internal/decision internal/seal internal/lint)
# Every Go module of this repository, and those of them that are linted.
MODULES := . hack/devcluster hack/tools hack/tools/golangci-lint hack/tools/helm
LINT_MODULES := . hack/devcluster hack/tools/golangci-lint
# Python beside the SDK, seen from sdk/python; it is held to the same.
PYTHON_PROGRAMS := $(patsubst %,../../%,$(wildcard hack/pythondocs/*.py examples/agent-python/*.py))
# What `make generate`, `make manifests`, `make docs` and `make chart` write.
GENERATED := api config/crd/bases config/rbac/role.yaml config/webhook docs/reference/api.md docs/cli.md docs/reference/audit-record.md docs/reference/audit-record.schema.json \
	docs/reference/python.md docs/reference/go.md charts/ascend-operator

##@ Start here

.PHONY: help
help: ## Show this help
	@if [[ -t 1 && -z "$${NO_COLOR:-}" ]]; then color=1; else color=; fi; \
	awk -v color="$$color" 'BEGIN { FS = ":.*## "; if (color) { blue = "\033[36m"; bold = "\033[1m"; plain = "\033[0m" } \
		printf "\nAscend Operator: an AI agent asks before it acts.\n\nUsage: make %s<target>%s\n", blue, plain } \
		/^##@ / { printf "\n%s%s%s\n", bold, substr($$0, 5), plain } \
		/^[a-z][a-z-]*:.*## / { printf "  %s%-12s%s %s\n", blue, $$1, plain, $$2 }' $(firstword $(MAKEFILE_LIST))
	@echo

.PHONY: demo
demo: build control-plane ## Play the tutorial from start to end and check every decision
	@$(GO) run ./hack/dev demo $(ARGS)

.PHONY: demo-readme
demo-readme: ## Write the demo's output anew into README.md
	@$(MAKE) demo ARGS='--update README.md'

.PHONY: dev
dev: build control-plane ## Keep a cluster with the operator running, in .dev/
	@$(GO) run ./hack/dev up --dir .dev $(ARGS)

.PHONY: run
run: ## Run the operator against the current kubeconfig, as its own ServiceAccount
	@mkdir -p bin; umask 077; \
	$(KUBECTL) config view --minify --flatten > bin/run.kubeconfig; \
	token="$$($(KUBECTL) create token ascend-controller-manager -n ascend-system --duration=8h)"; \
	$(KUBECTL) --kubeconfig bin/run.kubeconfig config set-credentials operator --token="$$token" > /dev/null; \
	$(KUBECTL) --kubeconfig bin/run.kubeconfig config set-context --current --user=operator > /dev/null
	$(GO) run ./cmd/manager --kubeconfig bin/run.kubeconfig $(ARGS)

##@ Check

# The last lines are go test's own; nothing may be printed after them. Both modules
# are tested even if the first fails.
.PHONY: test
test: control-plane ## Test everything; a part: PKG=./internal/risk TESTFLAGS=-v
	@assets="$$(cd hack/devcluster && $(GO) run . assets)"; \
	export KUBEBUILDER_ASSETS="$$assets"; \
	status=0; \
	if [[ '$(PKG)' == './...' ]]; then \
		(cd hack/devcluster && $(GO) test -timeout $(TEST_TIMEOUT) $(TESTFLAGS) ./...) || status=1; \
	fi; \
	$(GO) test -p $(TEST_PARALLEL) -timeout $(TEST_TIMEOUT) $(TESTFLAGS) $(PKG) || status=1; \
	exit $$status

.PHONY: verify
verify: verify-generated verify-tidy lint python-lint cover verify-demo ## Regenerate, lint, and fail on any difference

.PHONY: lint
lint: golangci-lint ## Lint (the first time compiles the linter, which takes minutes)
	@status=0; for module in $(LINT_MODULES); do \
		echo "lint $$module"; \
		(cd "$$module" && "$(CURDIR)/$(GOLANGCI_LINT)" run --config "$(CURDIR)/.golangci.yml" ./...) || status=1; \
	done; exit $$status

.PHONY: lint-fix
lint-fix: golangci-lint ## Lint, and repair what can be repaired
	@status=0; for module in $(LINT_MODULES); do \
		(cd "$$module" && "$(CURDIR)/$(GOLANGCI_LINT)" run --fix --config "$(CURDIR)/.golangci.yml" ./...) || status=1; \
	done; exit $$status

.PHONY: python-lint
python-lint: ## Check the Python code: ruff, mypy --strict, and that it is Python 3.9
	@venv="$$(hack/tools/venv.sh)"; cd sdk/python; status=0; \
	"$$venv/bin/ruff" check --quiet --no-cache --config pyproject.toml . $(PYTHON_PROGRAMS) || status=1; \
	"$$venv/bin/ruff" format --quiet --no-cache --config pyproject.toml --diff . $(PYTHON_PROGRAMS) || status=1; \
	"$$venv/bin/mypy" --no-error-summary --cache-dir "$(CURDIR)/bin/mypy" || status=1; \
	$(if $(PYTHON_PROGRAMS),MYPYPATH=src "$$venv/bin/mypy" --no-error-summary --cache-dir "$(CURDIR)/bin/mypy" $(PYTHON_PROGRAMS) || status=1;) \
	"$$venv/bin/vermin" --quiet --target=3.9- --violations --no-tips src || status=1; \
	exit $$status

.PHONY: python-fmt
python-fmt: ## Format the Python code, and repair what can be repaired
	@venv="$$(hack/tools/venv.sh)"; cd sdk/python; \
	"$$venv/bin/ruff" check --no-cache --config pyproject.toml --fix . $(PYTHON_PROGRAMS) || true; \
	"$$venv/bin/ruff" format --no-cache --config pyproject.toml . $(PYTHON_PROGRAMS)

.PHONY: python-test
python-test: ## Test what of the Python SDK needs no cluster (the rest: make test PKG=./test/sdk)
	@venv="$$(hack/tools/venv.sh)"; cd sdk/python; \
	PYTHONPATH=src PYTHONDONTWRITEBYTECODE=1 "$$venv/bin/python" -m pytest -p no:cacheprovider -m 'not cluster' $(TESTFLAGS)

.PHONY: cover
cover: ## Fail if a package of the pure core is covered below 95 %
	@mkdir -p bin
	@$(if $(PURE),,echo 'cover: no pure package yet'; exit 0;) \
	$(GO) test -coverprofile=bin/cover.out $(TESTFLAGS) $(PURE:%=./%/...) > bin/cover.txt || { cat bin/cover.txt; exit 1; }; \
	awk -v min=$(COVER_MIN) '\
		/\[no statements\]/ { next } \
		match($$0, /coverage: [0-9.]+%/) { \
			pct = substr($$0, RSTART + 10, RLENGTH - 11); pkg = ($$1 == "ok") ? $$2 : $$1; \
			sub(/^.*ascend-operator\//, "", pkg); low = (pct + 0 < min + 0); bad += low; \
			printf "  %-40s %6s %%%s\n", pkg, pct, (low ? "  below " min " %" : "") } \
		/\[no test files\]/ { bad++; sub(/^.*ascend-operator\//, "", $$2); printf "  %-40s  no tests\n", $$2 } \
		END { if (bad) { printf "cover: %d of the packages are below %s %%; see: go tool cover -html=bin/cover.out\n", bad, min; exit 1 } }' \
		bin/cover.txt

.PHONY: fuzz
fuzz: ## Fuzz every fuzz test for a while (FUZZTIME=20s each)
	@found=0; \
	for pkg in $$($(GO) list -f '{{if or .TestGoFiles .XTestGoFiles}}{{.ImportPath}}{{end}}' ./...); do \
		grep -qs '^func Fuzz' "$$($(GO) list -f '{{.Dir}}' "$$pkg")"/*_test.go || continue; \
		for name in $$($(GO) test -list '^Fuzz' "$$pkg" | grep '^Fuzz'); do \
			found=1; echo "fuzz $$pkg $$name"; \
			$(GO) test -run '^$$' -fuzz "^$$name$$" -fuzztime $(FUZZTIME) "$$pkg"; \
		done; \
	done; \
	[[ $$found == 1 ]] || echo 'fuzz: no fuzz tests yet'

.PHONY: bench
bench: control-plane ## Run the benchmarks: a table, and bench.json
	@mkdir -p bin
	@export KUBEBUILDER_ASSETS="$$(cd hack/devcluster && $(GO) run . assets)"; \
	$(GO) test -run '^$$' -bench . -benchmem -benchtime $(BENCHTIME) ./internal/... ./webhooks > bin/bench.txt || { cat bin/bench.txt; exit 1; }
	@$(GO) run ./test/bench < bin/bench.txt

.PHONY: attacks-docs
attacks-docs: control-plane ## Play the attacks, and write what became of each into docs/
	@export KUBEBUILDER_ASSETS="$$(cd hack/devcluster && $(GO) run . assets)"; \
	ATTACKS_PAGE=write $(GO) test -count=1 -timeout $(TEST_TIMEOUT) ./test/attacks

##@ Build

.PHONY: build
build: ## Build bin/manager and bin/ascend, and its kubectl plugins
	@mkdir -p bin
	$(GO) build -trimpath -o bin/manager ./cmd/manager
	$(GO) build -trimpath -o bin/ascend ./cmd/ascend
	@for plugin in ascend approve deny; do \
		ln -sfn ascend "bin/kubectl-$$plugin"; ln -sfn ascend "bin/kubectl_complete-$$plugin"; done

.PHONY: plugins
plugins: ## Compile and pack ascend for every platform, into bin/krew (VERSION=v1.2.3)
	@$(GO) run ./hack/krew pack --version $(VERSION) $(if $(PLATFORMS),--platforms $(PLATFORMS))

.PHONY: krew
krew: plugins ## Write the krew manifests of the plugins, into bin/krew
	@$(GO) run ./hack/krew manifests --version $(VERSION)

.PHONY: generate
generate: controller-gen ## Write deep copies and apply configurations of the API
	@$(CONTROLLER_GEN) object:headerFile=hack/boilerplate.go.txt \
		applyconfiguration:headerFile=hack/boilerplate.go.txt paths=./api/...

.PHONY: manifests
manifests: controller-gen ## Write CRDs, RBAC role and webhooks from the code's markers
	@$(CONTROLLER_GEN) crd paths=./api/... output:crd:dir=config/crd/bases
	@$(if $(MARKED),$(CONTROLLER_GEN) rbac:roleName=manager-role webhook $(MARKED:%=paths=./%/...) \
		output:rbac:dir=config/rbac output:webhook:dir=config/webhook)

.PHONY: docs
docs: crd-ref-docs cli-docs audit-docs python-docs go-docs ## Write the references in docs/reference and docs/cli.md
	@mkdir -p bin docs/reference
	@$(CRD_REF_DOCS) --log-level=ERROR --renderer=markdown --source-path=api \
		--config=hack/tools/crd-ref-docs/config.yaml \
		--templates-dir=hack/tools/crd-ref-docs/templates --output-path=bin/api.md
	@# Lines of one paragraph are joined, and braces need no escape.
	@sed -e 's|<br /><br />|<br/>|g' -e 's|<br />| |g' -e 's|\\\([{}]\)|\1|g' \
		bin/api.md | cat -s > docs/reference/api.md

.PHONY: cli-docs
cli-docs: ## Write the reference of the command line, docs/cli.md
	@$(GO) run ./hack/clidocs

.PHONY: audit-docs
audit-docs: ## Write the reference of audit records, docs/reference/audit-record.md, and their JSON Schema
	@$(GO) run ./hack/auditdocs

.PHONY: python-docs
python-docs: ## Write the reference of the Python SDK, docs/reference/python.md, from its docstrings
	@"$$(hack/tools/venv.sh)/bin/python" hack/pythondocs/reference.py --source sdk/python/src --out docs/reference/python.md

.PHONY: go-docs
go-docs: ## Write the reference of the Go SDK, docs/reference/go.md, from its doc comments
	@$(GO) run ./hack/godocs --out docs/reference/go.md client client/clienttest

.PHONY: venv
venv: ## Make bin/venv, what the Python SDK is tested and checked in
	@hack/tools/venv.sh

.PHONY: python-pins
python-pins: ## Pin anew what the Python SDK is tested with (UPGRADE=1: the newest of it)
	@venv="$$(hack/tools/venv.sh)"; cd sdk/python; \
	"$$venv/bin/pip-compile" --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate \
		--no-emit-index-url --no-emit-find-links --no-emit-trusted-host $(if $(UPGRADE),--upgrade) \
		--output-file requirements-dev.txt requirements-dev.in; \
	pins="$$(cat requirements-dev.txt)"; \
	printf '%s\n' '# Written by `make python-pins` out of requirements-dev.in. For Python 3.11 and later.' "$$pins" > requirements-dev.txt

.PHONY: chart
chart: control-plane ## Write what the Helm chart has of config/, and its table of values
	@assets="$$(cd hack/devcluster && $(GO) run . assets)"; \
	$(GO) run ./hack/chart --kubectl "$$assets/kubectl"

.PHONY: fmt
fmt: golangci-lint ## Format the code
	@$(GOLANGCI_LINT) fmt ./...

.PHONY: vet
vet: ## Run go vet in every module
	@for module in $(LINT_MODULES); do (cd "$$module" && $(GO) vet ./...); done

.PHONY: clean
clean: ## Remove bin/ and .dev/
	rm -rf bin .dev bench.json

##@ Install into the current cluster

.PHONY: install
install: ## Install the CRDs
	$(KUBECTL) apply --server-side -k config/crd

.PHONY: uninstall
uninstall: ## Remove the CRDs, and with them every object of theirs
	$(KUBECTL) delete --ignore-not-found -k config/crd

.PHONY: deploy
deploy: ## Install the operator
	$(KUBECTL) apply --server-side -k config/default

.PHONY: undeploy
undeploy: ## Remove the operator, and the CRDs with it
	$(KUBECTL) delete --ignore-not-found -k config/default

# ---------------------------------------------------------------------------------
# Parts of the targets above

.PHONY: control-plane
control-plane:
	@cd hack/devcluster && $(GO) run . build

# Regenerating must change nothing. The comparison is with the files as they were, so
# that it works before a commit too; in a fresh checkout that is what git has.
.PHONY: verify-generated
verify-generated:
	@hack/tools/verify-generated.sh $(GENERATED)

.PHONY: verify-tidy
verify-tidy:
	@for module in $(MODULES); do \
		(cd "$$module" && $(GO) mod tidy -diff) || { \
			echo "verify: $$module/go.mod is not tidy; run: (cd $$module && go mod tidy)" >&2; exit 1; }; \
	done

# The output of the demo that README.md shows is the demo's real output.
.PHONY: verify-demo
verify-demo:
	@if compgen -G 'hack/dev/*.go' >/dev/null; then $(MAKE) demo ARGS='--check README.md'; fi

# Tools are built from the versions that hack/tools pins, into a file named after the
# pins and the Go version: change either, and the next use builds anew.
MARKED := $(wildcard controllers webhooks internal cmd)
GOVERSION := $(shell $(GO) env GOVERSION)
TOOLS_KEY := $(GOVERSION)-$(shell cat hack/tools/go.mod hack/tools/go.sum | cksum | cut -d' ' -f1)
LINT_KEY := $(GOVERSION)-$(shell cat hack/tools/golangci-lint/go.* hack/tools/golangci-lint/*.go | cksum | cut -d' ' -f1)
TOOLS := bin/tools
CONTROLLER_GEN := $(TOOLS)/controller-gen-$(TOOLS_KEY)
CRD_REF_DOCS := $(TOOLS)/crd-ref-docs-$(TOOLS_KEY)
GOLANGCI_LINT := $(TOOLS)/golangci-lint-$(LINT_KEY)

.PHONY: controller-gen crd-ref-docs golangci-lint
controller-gen: $(CONTROLLER_GEN)
crd-ref-docs: $(CRD_REF_DOCS)
golangci-lint: $(GOLANGCI_LINT)

$(CONTROLLER_GEN):
	@echo 'Building controller-gen' >&2
	@rm -f $(TOOLS)/controller-gen-*
	@cd hack/tools && $(GO) build -o "$(CURDIR)/$@" sigs.k8s.io/controller-tools/cmd/controller-gen

$(CRD_REF_DOCS):
	@echo 'Building crd-ref-docs' >&2
	@rm -f $(TOOLS)/crd-ref-docs-*
	@cd hack/tools && $(GO) build -o "$(CURDIR)/$@" github.com/elastic/crd-ref-docs

$(GOLANGCI_LINT):
	@echo 'Building golangci-lint with the Kubernetes plugins: the first time takes minutes' >&2
	@rm -f $(TOOLS)/golangci-lint-*
	@cd hack/tools/golangci-lint && $(GO) build -trimpath -ldflags '-s -w' -o "$(CURDIR)/$@" .
