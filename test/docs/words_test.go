// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/ow-kai/ascend-operator/internal/audit"
)

// names fails for words that a page does not have in backquotes.
func names(t *testing.T, path string, words []string) {
	t.Helper()
	t.Helper()
	if len(words) == 0 {
		t.Fatalf("%s: no words to look for", path)
	}
	text := strings.Join(readPage(t, path).lines, "\n")
	for _, word := range words {
		if !strings.Contains(text, "`"+word+"`") {
			t.Errorf("%s does not explain `%s`", path, word)
		}
	}
}

// Every reason is explained.
func TestReasons(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, "api", "v1alpha1", "reasons.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var reasons []string
	ast.Inspect(file, func(n ast.Node) bool {
		if literal, isLiteral := n.(*ast.BasicLit); isLiteral && literal.Kind == token.STRING {
			if reason, err := strconv.Unquote(literal.Value); err == nil {
				reasons = append(reasons, reason)
			}
		}
		return true
	})
	names(t, "docs/concepts.md", reasons)
}

// Every field of an audit record is explained.
func TestAuditFields(t *testing.T) {
	record := reflect.TypeFor[audit.Record]()
	var fields []string
	for field := range record.Fields() {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		fields = append(fields, name)
	}
	names(t, "docs/concepts.md", append(fields, string(audit.EventNotApplied), string(audit.EventResumed),
		string(audit.EventStarted), string(audit.EventStopped), string(audit.EventCheckpoint)))
}

var (
	flagName   = regexp.MustCompile(`flags\.\w+Var\(&o\.\w+, "([a-z-]+)"`)
	metricName = regexp.MustCompile(`Name:\s+"(ascend_\w+)"`)
)

// Every flag and every metric is explained.
func TestFlagsAndMetrics(t *testing.T) {
	var flags, metrics []string
	for _, m := range flagName.FindAllStringSubmatch(read(t, filepath.Join(root, "cmd", "manager", "options.go")), -1) {
		flags = append(flags, "--"+m[1])
	}
	names(t, "docs/operations.md", flags)
	for _, path := range []string{"controllers/metrics.go", "internal/audit/metrics.go", "internal/anchor/anchor.go"} {
		for _, m := range metricName.FindAllStringSubmatch(read(t, filepath.Join(root, path)), -1) {
			metrics = append(metrics, m[1])
		}
	}
	names(t, "docs/concepts.md", metrics)
}
