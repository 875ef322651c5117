// SPDX-License-Identifier: Apache-2.0

package cluster

import (
	"slices"
	"strings"
	"testing"
)

func TestParseArg(t *testing.T) {
	tests := map[string]struct {
		text string
		want Arg
		bad  bool
	}{
		"plain":              {text: "v=4", want: Arg{"v", "4"}},
		"with dashes":        {text: "--v=4", want: Arg{"v", "4"}},
		"empty value":        {text: "v=", want: Arg{"v", ""}},
		"equals in value":    {text: "feature-gates=A=true,B=false", want: Arg{"feature-gates", "A=true,B=false"}},
		"no value":           {text: "v", bad: true},
		"no key":             {text: "=4", bad: true},
		"two flags in one":   {text: "v 4=5", bad: true},
		"nothing":            {text: "", bad: true},
		"nothing but dashes": {text: "--", bad: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, err := ParseArg(tt.text); got != tt.want || (err != nil) != tt.bad {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestJoinReplacesDefaults(t *testing.T) {
	defaults := []Arg{{"a", "1"}, {"b", "2"}, {"c", "3"}}
	got := join("prog", defaults, []Arg{{"b", "8"}, {"z", "9"}, {"b", "10"}})
	if want := []string{"prog", "--a=1", "--c=3", "--b=8", "--z=9", "--b=10"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Every address on a command line is loopback: nothing may listen elsewhere.
func TestComponentsStayOnLoopback(t *testing.T) {
	dir, ports := Dir("/x"), Ports{1, 2, 3, 4}
	for name, args := range map[string][]Arg{
		"etcd":                    dir.etcdArgs(ports, false),
		"kube-apiserver":          dir.apiserverArgs(ports, ""),
		"kube-controller-manager": dir.controllerManagerArgs(ports),
	} {
		found := false
		for _, arg := range args {
			listens := strings.Contains(arg.Key, "listen") || arg.Key == "bind-address"
			if listens && !strings.Contains(arg.Value, "127.0.0.1") {
				t.Errorf("%s listens on %s", name, arg.Value)
			}
			found = found || listens
		}
		if !found {
			t.Errorf("%s is not told where to listen", name)
		}
	}
}

func TestOptionsReachTheCommandLine(t *testing.T) {
	dir := Dir("/x")
	if slices.Contains(dir.etcdArgs(Ports{}, true), Arg{"unsafe-no-fsync", "true"}) {
		t.Error("--fsync, yet etcd is told not to")
	}
	if !slices.Contains(dir.etcdArgs(Ports{}, false), Arg{"unsafe-no-fsync", "true"}) {
		t.Error("etcd waits for the disk unasked")
	}
	if !slices.Contains(dir.apiserverArgs(Ports{}, "/policy.yaml"), Arg{"audit-policy-file", "/policy.yaml"}) {
		t.Error("the audit policy got lost")
	}
}

func TestChildEnvHoldsNoSettingsOfEtcd(t *testing.T) {
	got := childEnv([]string{"HOME=/h", "ETCD_DATA_DIR=/other", "ETCDCTL_API=3"})
	if want := []string{"HOME=/h", "ETCDCTL_API=3"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
