// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"cmp"
	"fmt"
	"strings"
)

// longestName of a folder, in bytes.
const longestName = 64

// folderNames are the names of the folders of controls: AC-3(2) is AC-3-2. Controls of
// which the names are the same have them numbered, in the order that they are given.
func folderNames(controls []string) map[string]string {
	names, taken := map[string]string{}, map[string]bool{}
	for _, control := range controls {
		name := strings.Map(func(r rune) rune {
			switch {
			case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_':
				return r
			default:
				return '-'
			}
		}, control)
		for strings.Contains(name, "--") {
			name = strings.ReplaceAll(name, "--", "-")
		}
		name = strings.Trim(name, "-.")
		name = cmp.Or(strings.Trim(name[:min(len(name), longestName)], "-."), "control")
		unique := name
		for n := 2; taken[strings.ToLower(unique)]; n++ { // also where the file system does not tell cases apart
			unique = fmt.Sprintf("%s-%d", name, n)
		}
		taken[strings.ToLower(unique)] = true
		names[control] = unique
	}
	return names
}

// byNumber orders controls as people do: AC-3 before AC-20, 7.2 before 10.3.1.
func byNumber(a, b string) int {
	restA, restB := a, b
	for restA != "" && restB != "" {
		partA, numberA := chunk(&restA)
		partB, numberB := chunk(&restB)
		if numberA && numberB {
			partA, partB = strings.TrimLeft(partA, "0"), strings.TrimLeft(partB, "0")
			if c := cmp.Compare(len(partA), len(partB)); c != 0 {
				return c
			}
		}
		if c := cmp.Compare(partA, partB); c != 0 {
			return c
		}
	}
	return cmp.Or(cmp.Compare(len(restA), len(restB)), cmp.Compare(a, b))
}

// chunk takes digits, or what is not digits, from the beginning of a text.
func chunk(text *string) (part string, number bool) {
	isDigit := func(b byte) bool { return b >= '0' && b <= '9' }
	number = isDigit((*text)[0])
	n := 1
	for n < len(*text) && isDigit((*text)[n]) == number {
		n++
	}
	part, *text = (*text)[:n], (*text)[n:]
	return part, number
}
