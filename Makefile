# make run    build everything and start the demo
# make test   install what tests need, then run every test
# make bench  measure, beside Debian's kamailio and rtpengine
# make quality  what networks do to speech on each way through the box, as a table (two minutes)
# make lint   formatting, vet, types

VERSION := $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
export CGO_ENABLED ?= 0
UI_SOURCES := $(shell find web/ui -path web/ui/node_modules -prune -o -path web/ui/dist -prune -o -type f -print 2>/dev/null)

.PHONY: run build ui test unit e2e bench quality lint setup clean

run: build
	./bin/strowger demo

build: ui
	go build -trimpath -ldflags "-s -w -X main.version=$(VERSION)" -o bin/strowger ./cmd/strowger

ui: web/ui/dist/index.html

web/ui/dist/index.html: web/ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd web/ui && npm run --silent build

web/ui/node_modules/.package-lock.json: web/ui/package.json web/ui/package-lock.json
	cd web/ui && npm ci --no-audit --no-fund --loglevel=error
	touch $@

setup:
	./scripts/setup.sh

test: setup build unit e2e

unit:
	cd web/ui && npm run --silent check && npm test --silent
	go test $$(go list ./... | grep -v /e2e)

e2e: build
	./scripts/e2e.sh

bench: build
	./scripts/bench.sh

quality:
	@go test -count=1 -tags quality -run '^TestQualityTable$$' -v ./media | grep -v -e '^=== ' -e '^--- ' -e '^PASS' -e '^ok'

lint:
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo "not gofmt-ed:"; gofmt -l $$(git ls-files '*.go'); exit 1; }
	go vet ./...
	cd web/ui && npm run --silent check

clean:
	rm -rf bin web/ui/dist/assets web/ui/dist/index.html
