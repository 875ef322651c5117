// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"
)

const someObjects = `apiVersion: v1
kind: Service
metadata:
  name: first
  labels: {app.kubernetes.io/managed-by: kustomize, app.kubernetes.io/name: x}
---
apiVersion: v1
kind: Service
metadata: {name: second}
`

func TestMarshalLeavesOutWhoManages(t *testing.T) {
	t.Parallel()
	objects, err := decode([]byte(someObjects))
	if err != nil {
		t.Fatal(err)
	}
	text, err := marshal(objects)
	if err != nil {
		t.Fatal(err)
	}
	const want = header + `apiVersion: v1
kind: Service
metadata:
  labels:
    app.kubernetes.io/name: x
  name: first
---
apiVersion: v1
kind: Service
metadata:
  name: second
`
	if string(text) != want {
		t.Errorf("got\n%s", text)
	}
}

// TestNothingIsLeftOut: an object of a new kind in config/default must not be
// missing in the chart without a word.
func TestNothingIsLeftOut(t *testing.T) {
	t.Parallel()
	objects, err := decode([]byte("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: anchors}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if err := addCRDs(map[string][]byte{}, objects); err == nil || !strings.Contains(err.Error(), "config/default has ConfigMap anchors") {
		t.Errorf("got %v", err)
	}
}
