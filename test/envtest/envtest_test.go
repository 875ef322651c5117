// SPDX-License-Identifier: Apache-2.0

package envtest

import (
	"fmt"
	"strings"
	"testing"
)

// recorder is a TB that notes how the test failed, and goes on.
type recorder struct{ failure string }

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }

func TestStartFailsWithoutAssetsAndSaysWhatToRun(t *testing.T) {
	t.Setenv(assetsVariable, "")
	var recorded recorder
	config, stop := Start(&recorded)
	stop()
	if config != nil {
		t.Error("Start returned a config without a server behind it")
	}
	for _, word := range []string{"KUBEBUILDER_ASSETS", "make test"} {
		if !strings.Contains(recorded.failure, word) {
			t.Errorf("the failure does not name %q: %s", word, recorded.failure)
		}
	}
}

func TestStartFailsWithAssetsThatAreNotThere(t *testing.T) {
	t.Setenv(assetsVariable, t.TempDir())
	var recorded recorder
	_, stop := Start(&recorded)
	stop()
	if !strings.Contains(recorded.failure, "start the API server") {
		t.Errorf("Start did not say that the API server cannot be started: %q", recorded.failure)
	}
}
