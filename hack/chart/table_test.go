// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const chart = "../../charts/ascend-operator"

func TestTheTableIsThatOfTheValues(t *testing.T) {
	t.Parallel()
	want, err := withTable(chart)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(chart, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("README.md of the chart lists other values than values.yaml; run make chart")
	}
}

func TestTableRefusesWhatDoesNotFit(t *testing.T) {
	t.Parallel()
	group := map[string]schema{"image": {Properties: map[string]schema{"tag": {Description: "Tag of the image"}}}}
	for name, test := range map[string]struct {
		described map[string]schema
		defaults  map[string]any
		want      string
	}{
		"unknown value":       {group, map[string]any{"image": map[string]any{"tag": "", "name": ""}}, "values.schema.json does not know image.name of values.yaml"},
		"value without one":   {group, map[string]any{"image": map[string]any{}}, "values.yaml does not have image.tag of values.schema.json"},
		"group that is none":  {group, map[string]any{"image": "x"}, "image has to be an object"},
		"without description": {map[string]schema{"replicas": {}}, map[string]any{"replicas": 2}, "does not describe replicas"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := table("", test.described, test.defaults); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}
