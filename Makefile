# The verbs of the project. Everything they need they install or say.
export CGO_ENABLED := 0
GO ?= go
FUZZTIME ?= 30s
LONG ?= 200
ONLY ?=
platforms := linux/amd64 linux/arm64 darwin/amd64 darwin/arm64 windows/amd64 windows/arm64

.PHONY: build run setup test cross long bench fuzz lint gen gallery

build:
	@$(GO) build -trimpath -o bin/gantry ./cmd/gantry

run: build
	@exec ./bin/gantry serve

setup:
	@./scripts/setup

# All tests, against real peers; then the other platforms.
test: setup
	$(GO) vet ./...
	$(GO) test -timeout 20m ./...
	@$(MAKE) --no-print-directory cross

cross:
	@for p in $(platforms); do \
		echo "vet and build $$p"; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) vet ./... || exit 1; \
		GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -o /dev/null ./cmd/gantry || exit 1; \
	done

# What needs hours: crash rounds (50 x LONG), huge counts, an object of 20 GB, every fuzz
# target for half an hour. Quote its results.
long: setup
	GANTRY_LONG=$(LONG) $(GO) test -timeout 24h -count 1 -v ./dimse ./internal/dump ./internal/archive/... ./internal/interop
	@$(MAKE) --no-print-directory fuzz FUZZTIME=30m

# The gates, measured beside DCMTK and Orthanc on this machine: bin/bench.md. ONLY='^P' takes
# some of them; GANTRY_SCALE=20000000 makes the archive of S1 to S4 a large one.
bench: setup
	@$(GO) run scripts/benchreport.go -only '$(ONLY)'
	@$(GO) test -run '^$$' -bench 'Described|UnderLoad' ./internal/interop
	@$(GO) test -run '^$$' -bench 'Peers|Codecs|Cores' -benchtime 1s ./pixel/...

# Every fuzz target in turn, FUZZTIME each.
fuzz:
	@$(GO) list ./... | while read -r pkg; do \
		for target in $$($(GO) test -list '^Fuzz' $$pkg | grep ^Fuzz); do \
			echo "$$pkg $$target"; \
			$(GO) test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 5x $$pkg || exit 1; \
		done; \
	done

lint:
	$(GO) vet ./...
	@test -z "$$(gofmt -l . | tee /dev/stderr)"
	$(GO) mod tidy -diff
	$(GO) tool -modfile=tools/go.mod staticcheck ./...

gen:
	$(GO) generate ./...

# Contact sheets of the files in GANTRY_SAMPLES, to look at.
gallery:
	@$(GO) run ./internal/cli/gallery "$(GANTRY_SAMPLES)" bin/gallery
