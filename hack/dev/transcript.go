// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"time"
)

// transcript keeps the story as it is told.
type transcript struct {
	begin  time.Time
	pieces []piece
}

type piece struct {
	at            time.Duration
	painted, page string
}

func (t *transcript) add(painted, page string) {
	if t.begin.IsZero() {
		t.begin = time.Now()
	}
	t.pieces = append(t.pieces, piece{time.Since(t.begin), painted, page})
}

// text is the whole story as it was shown, without colors.
func (t *transcript) text() string {
	var text strings.Builder
	for _, p := range t.pieces {
		text.WriteString(p.painted)
	}
	return unpaint(text.String())
}

// page is the whole story as it is to stand in a page: the same in every run.
func (t *transcript) page() string {
	var text strings.Builder
	for _, p := range t.pieces {
		text.WriteString(p.page)
	}
	lines := strings.Split(text.String(), "\n")
	for i, line := range lines {
		lines[i] = strings.TrimRight(line, " \t\r")
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// save writes the story to a file: one that ends in .cast gets the asciicast
// format, version 2, with colors and times; any other the text.
// Source: https://docs.asciinema.org/manual/asciicast/v2/
func (t *transcript) save(path string) error {
	if !strings.HasSuffix(path, ".cast") {
		return os.WriteFile(path, []byte(t.text()), 0o644)
	}
	var out strings.Builder
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	header := map[string]any{"version": 2, "width": width, "height": 40, "title": "Ascend Operator"}
	if err := encoder.Encode(header); err != nil {
		return err
	}
	for _, p := range t.pieces {
		event := []any{p.at.Seconds(), "o", strings.ReplaceAll(p.painted, "\n", "\r\n")}
		if err := encoder.Encode(event); err != nil {
			return err
		}
	}
	return os.WriteFile(path, []byte(out.String()), 0o644)
}

// What differs from run to run, and what stands in its place. The order counts.
var volatile = []struct {
	pattern *regexp.Regexp
	stable  string
}{
	{regexp.MustCompile(`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})`), "2026-01-31T09:30:00Z"},
	{regexp.MustCompile(`\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} UTC`), "2026-01-31 09:30:00 UTC"},
	{regexp.MustCompile(`\d+ (d|h|min|s)( \d+ (h|min|s))? ago`), "just now"},
	{regexp.MustCompile(`\d+ (d|h|min|s)( \d+ (h|min|s))? left`), "some time left"},
	{regexp.MustCompile(`sha256:[0-9a-f]{8,64}`), "sha256:..."},
	{regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}`), "00000000-0000-0000-0000-000000000000"},
	{regexp.MustCompile(`(127\.0\.0\.1|localhost):\d+`), "$1:6443"},
}

// stable puts something that is always the same in the place of times, digests,
// identifiers and ports.
func stable(text string) string {
	for _, v := range volatile {
		text = v.pattern.ReplaceAllString(text, v.stable)
	}
	return text
}
