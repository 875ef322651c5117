// SPDX-License-Identifier: Apache-2.0

package manifest_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/internal/manifest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Everything that is wrong in a folder is told at once, each with its place, in
// the order of files and lines.
func TestProblemsOfABrokenFolder(t *testing.T) {
	set, problems, err := manifest.Load([]string{"testdata/broken"}, manifest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, p := range problems {
		fmt.Fprintln(&text, strings.TrimPrefix(p.String(), "testdata/broken/"))
	}
	fmt.Fprintln(&text, "\nRead all the same:")
	for _, o := range set.Objects {
		fmt.Fprintf(&text, "%s %s valid=%t\n", strings.TrimPrefix(o.Position.String(), "testdata/broken/"), o.Key(), o.Valid)
	}
	fmt.Fprintf(&text, "Passed over: %d\n", set.Foreign)
	const golden = "testdata/broken.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), text.String()); diff != "" {
		t.Errorf("- %s, + Load:\n%s", golden, diff)
	}
}
