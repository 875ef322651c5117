// SPDX-License-Identifier: Apache-2.0

package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// docs/from-ascend-sdk.md has every difference, so it names every error and every
// argument of the client that there is.
func TestFromAscendSDK(t *testing.T) {
	text := strings.Join(readPage(t, "docs/from-ascend-sdk.md").lines, "\n")
	source := func(file string) string {
		code, err := os.ReadFile(filepath.Join(root, "sdk", "python", "src", "ascend", file))
		if err != nil {
			t.Fatal(err)
		}
		return string(code)
	}
	var names []string
	for _, found := range regexp.MustCompile(`(?m)^class (Ascend\w+)\(`).FindAllStringSubmatch(source("exceptions.py"), -1) {
		names = append(names, found[1])
	}
	arguments := regexp.MustCompile(`(?s)class Given:.*?\n{3}`).FindString(source("_config.py"))
	for _, found := range regexp.MustCompile(`(?m)^ {4}(\w+): `).FindAllStringSubmatch(arguments, -1) {
		names = append(names, found[1])
	}
	if len(names) < 30 {
		t.Fatalf("only %d names are found: %q", len(names), names)
	}
	for _, name := range names {
		if !strings.Contains(text, "`"+name+"`") {
			t.Errorf("docs/from-ascend-sdk.md does not name `%s`", name)
		}
	}
}
