// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// The markers in a page between which the demo's output stands.
const (
	beginMarker = "<!-- demo:begin -->"
	endMarker   = "<!-- demo:end -->"
)

// updateHint is how to bring a page up to date.
const updateHint = "run `make demo-readme`, or `make demo ARGS='--update %s'`, and look at what changed"

// checkPage fails with a diff when the page does not show this story.
func checkPage(path, story string) error {
	page, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	shown, err := embedded(path, string(page))
	if err != nil {
		return err
	}
	want := block(story)
	if shown == want {
		return nil
	}
	return fmt.Errorf("%s does not show what the demo prints (- is what it shows, + what it should):\n%s\n"+updateHint,
		path, diff(shown, want), path)
}

// updatePage writes the story into the page. It reports whether that changed it.
func updatePage(path, story string) (changed bool, err error) {
	page, err := os.ReadFile(path)
	if err != nil {
		return false, err
	}
	shown, err := embedded(path, string(page))
	if err != nil {
		return false, err
	}
	want := block(story)
	if shown == want {
		return false, nil
	}
	before, rest, _ := strings.Cut(string(page), beginMarker)
	_, after, _ := strings.Cut(rest, endMarker)
	return true, replaceFile(path, before+beginMarker+want+endMarker+after, 0o644)
}

// embedded returns what stands between the markers.
func embedded(path, page string) (string, error) {
	if strings.Count(page, beginMarker) != 1 || strings.Count(page, endMarker) != 1 {
		return "", fmt.Errorf("%s needs the lines %s and %s once each, with the demo's output in between; add them and "+updateHint,
			path, beginMarker, endMarker, path)
	}
	_, rest, _ := strings.Cut(page, beginMarker)
	shown, _, found := strings.Cut(rest, endMarker)
	if !found {
		return "", fmt.Errorf("%s has %s before %s; put them in order and "+updateHint, path, endMarker, beginMarker, path)
	}
	return shown, nil
}

// block is the story as it stands between the markers.
func block(story string) string {
	return "\n\n```text\n" + story + "```\n\n"
}

// diff shows which lines are gone (-) and new (+), with a line around them. It
// is a longest common subsequence, made for pages of some hundred lines.
func diff(before, after string) string {
	a, b := strings.Split(before, "\n"), strings.Split(after, "\n")
	common := make([][]int, len(a)+1) // common[i][j]: length for a[i:] and b[j:]
	for i := range common {
		common[i] = make([]int, len(b)+1)
	}
	for i, left := range slices.Backward(a) {
		for j, right := range slices.Backward(b) {
			if left == right {
				common[i][j] = common[i+1][j+1] + 1
			} else {
				common[i][j] = max(common[i+1][j], common[i][j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || (i < len(a) && common[i+1][j] >= common[i][j+1]):
			lines = append(lines, "- "+a[i])
			i++
		default:
			lines = append(lines, "+ "+b[j])
			j++
		}
	}
	return strings.Join(aroundChanges(lines), "\n")
}

// aroundChanges keeps the changed lines and one line on each side of them.
func aroundChanges(lines []string) []string {
	changed := func(i int) bool {
		return i >= 0 && i < len(lines) && !strings.HasPrefix(lines[i], "  ")
	}
	var kept []string
	skipped := false
	for i, line := range lines {
		if !changed(i-1) && !changed(i) && !changed(i+1) {
			skipped = true
			continue
		}
		if skipped && len(kept) > 0 {
			kept = append(kept, "  ...")
		}
		skipped = false
		kept = append(kept, line)
	}
	return kept
}
