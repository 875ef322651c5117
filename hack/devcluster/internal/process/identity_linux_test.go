// SPDX-License-Identifier: Apache-2.0

package process

import "testing"

func TestParseStat(t *testing.T) {
	const rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20"
	tests := map[string]struct {
		line, state, started string
		wantErr              bool
	}{
		"plain":                     {line: "42 (etcd)" + rest, state: "S", started: "4711"},
		"blanks and parentheses in": {line: "42 (a) b (c)" + rest, state: "S", started: "4711"},
		"cut off":                   {line: "42 (etcd) S 1 2", wantErr: true},
		"empty":                     {wantErr: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			state, started, err := parseStat(tt.line)
			if (err != nil) != tt.wantErr || state != tt.state || started != tt.started {
				t.Errorf("parseStat: %q, %q, %v", state, started, err)
			}
		})
	}
}
