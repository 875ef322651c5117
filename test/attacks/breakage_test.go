// SPDX-License-Identifier: Apache-2.0

package attacks_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

// breakage is an attack on the stack itself, or a look at all of it. It is
// tried once, after all others and in this order.
type breakage struct {
	number int
	name   string
	try    func(ctx context.Context, s *scene)
	// word is what comes of it, for the table, with everything in place; other
	// is why it is not tried in the other modes.
	word, other string
	// also are further attacks that are tried in the same go.
	also []row
}

// row is one of the table.
type row struct {
	number     int
	name, word string
}

var breakages = slices.Concat(faults, leaks, uninstall)

func (b *breakage) run(ctx context.Context) {
	GinkgoHelper()
	lab.settle(ctx)
	b.try(ctx, newScene(ctx, &attack{number: b.number}, up))
	for _, r := range append([]row{{b.number, b.name, b.word}}, b.also...) {
		a := &attack{number: r.number, name: r.name}
		summary.note(a, up, r.word)
		summary.note(a, down, "n/a: "+b.other)
		summary.note(a, deleted, "n/a: "+b.other)
	}
}

// log is what the operator has printed.
func (l *stack) log() string {
	GinkgoHelper()
	text, err := os.ReadFile(filepath.Join(l.folder, "logs", "operator.log"))
	Expect(err).NotTo(HaveOccurred())
	return string(text)
}

// metrics are those of the operator, as text.
func (l *stack) metrics(ctx context.Context) string {
	GinkgoHelper()
	const serves = `"Serving metrics server","bindAddress":"`
	_, after, found := strings.Cut(l.log(), serves)
	Expect(found).To(BeTrue(), "the log does not say where metrics are served")
	address, _, _ := strings.Cut(after, `"`)
	_, text, err := get(ctx, "http://"+address+"/metrics")
	Expect(err).NotTo(HaveOccurred())
	return text
}

// metric is the line of a metric, with the labels as they are printed.
func (l *stack) metric(ctx context.Context, name string) string {
	GinkgoHelper()
	lines := bufio.NewScanner(strings.NewReader(l.metrics(ctx)))
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), name+" "); found {
			return value
		}
	}
	return ""
}

func get(ctx context.Context, url string) (code int, body string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	return response.StatusCode, string(text), err
}

// logged says whether the operator has printed a line with that message.
func (l *stack) logged(message, words string) bool {
	GinkgoHelper()
	for line := range strings.Lines(l.log()) {
		var entry map[string]any
		if json.Unmarshal([]byte(line), &entry) == nil && entry["msg"] == message && strings.Contains(line, words) {
			return true
		}
	}
	return false
}
