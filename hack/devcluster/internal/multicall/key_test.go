// SPDX-License-Identifier: Apache-2.0

package multicall

import (
	"testing"
	"testing/fstest"
)

func sampleSources() fstest.MapFS {
	return fstest.MapFS{
		"go.mod":               {Data: []byte("module m\n\nrequire (\n\tk8s.io/kubernetes v1.36.3\n)\n")},
		"go.sum":               {Data: []byte("sum\n")},
		"controlplane/main.go": {Data: []byte("package main\n")},
	}
}

var sampleTool = Toolchain{Go: "go1.26.8", OS: "linux", Arch: "amd64"}

func TestKeyFollowsWhateverMakesTheBinary(t *testing.T) {
	key := func(change func(fstest.MapFS, *Toolchain)) string {
		sources, tool := sampleSources(), sampleTool
		change(sources, &tool)
		key, err := Key(sources, tool)
		if err != nil {
			t.Fatal(err)
		}
		return key
	}
	same := key(func(fstest.MapFS, *Toolchain) {})
	if len(same) != 20 {
		t.Errorf("key %q is not 20 digits", same)
	}
	tests := map[string]struct {
		change  func(fstest.MapFS, *Toolchain)
		differs bool
	}{
		"nothing":      {func(fstest.MapFS, *Toolchain) {}, false},
		"a test":       {func(s fstest.MapFS, _ *Toolchain) { s["controlplane/main_test.go"] = &fstest.MapFile{} }, false},
		"go.sum":       {func(s fstest.MapFS, _ *Toolchain) { s["go.sum"].Data = []byte("other\n") }, true},
		"go.mod":       {func(s fstest.MapFS, _ *Toolchain) { s["go.mod"].Data = []byte("module n\n") }, true},
		"source":       {func(s fstest.MapFS, _ *Toolchain) { s["controlplane/main.go"].Data = nil }, true},
		"a new source": {func(s fstest.MapFS, _ *Toolchain) { s["controlplane/b.go"] = &fstest.MapFile{} }, true},
		"Go":           {func(_ fstest.MapFS, tool *Toolchain) { tool.Go = "go1.26.9" }, true},
		"system":       {func(_ fstest.MapFS, tool *Toolchain) { tool.OS = "darwin" }, true},
		"architecture": {func(_ fstest.MapFS, tool *Toolchain) { tool.Arch = "arm64" }, true},
		"text moved between files": {func(s fstest.MapFS, _ *Toolchain) {
			s["go.mod"].Data, s["go.sum"].Data = append(s["go.mod"].Data, s["go.sum"].Data...), nil
		}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := key(tt.change); (got != same) != tt.differs {
				t.Errorf("key %s, before %s; differs shall be %t", got, same, tt.differs)
			}
		})
	}
}

func TestKubernetesVersion(t *testing.T) {
	got, err := KubernetesVersion(sampleSources())
	if want := (Version{"v1.36.3", "1", "36"}); err != nil || got != want {
		t.Errorf("got %+v, %v", got, err)
	}
	for name, text := range map[string]string{
		"no require": "module m\n",
		"replaced":   "replace k8s.io/kubernetes => ../kubernetes\n",
		"other":      "require k8s.io/kubernetes-extra v1.2.3\n",
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := KubernetesVersion(fstest.MapFS{"go.mod": {Data: []byte(text)}}); err == nil {
				t.Errorf("got %+v, want an error", got)
			}
		})
	}
}
