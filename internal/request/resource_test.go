// SPDX-License-Identifier: Apache-2.0

package request_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
)

func TestResources(t *testing.T) {
	for name, c := range map[string]struct {
		resource, parameters string
		first                string
		all                  []string
		unknown              bool
	}{
		"none":              {"", `{}`, "", nil, true},
		"spec.resource":     {"Orders", `{}`, "Orders", []string{"orders"}, false},
		"in this order":     {"", `{"url": "u", "path": "p", "resource": "r", "table": "t"}`, "t", []string{"t", "r", "p", "u"}, false},
		"all of them":       {"a", `{"table": "b", "path": "A "}`, "a", []string{"a", "b"}, false},
		"a list":            {"", `{"table": ["a", "customers"]}`, "a", []string{"a", "customers"}, false},
		"other spellings":   {"x", `{"Table": "a", "tables": ["b", "c"], "URL": "d", "Re-Source": "e"}`, "x", []string{"x", "a", "b", "c", "e", "d"}, false},
		"not in depth":      {"x", `{"query": {"table": "a"}}`, "x", []string{"x"}, false},
		"only other places": {"", `{"bucket": "a"}`, "", nil, true},
		"a number":          {"x", `{"table": 7}`, "x", []string{"x"}, true},
		"null":              {"x", `{"path": null}`, "x", []string{"x"}, true},
		"an object":         {"x", `{"table": {"name": "a"}}`, "x", []string{"x"}, true},
		"an empty list":     {"x", `{"table": []}`, "x", []string{"x"}, true},
		"a list with more":  {"x", `{"table": ["a", 7, "b", ["c"]]}`, "x", []string{"x", "a", "b"}, true},
		"empty":             {"x", `{"table": ""}`, "x", []string{"x"}, true},
		"blank":             {" ", `{}`, "", nil, true},
		"several in one":    {"a, Customers", `{"table": "b;c|\"d\""}`, "a, Customers", []string{"a, customers", "a", "customers", `b;c|"d"`, "b", "c", "d"}, false},
		"a statement": {
			"", `{"table": "SELECT id FROM customers"}`, "SELECT id FROM customers",
			[]string{"select id from customers", "select", "id", "from", "customers"}, false,
		},
		"a path is one":     {"", `{"path": "/home/my docs/a, b.txt"}`, "/home/my docs/a, b.txt", []string{"/home/my docs/a, b.txt"}, false},
		"a URL is one":      {"https://h/a,b?c=d&e=f", `{}`, "https://h/a,b?c=d&e=f", []string{"https://h/a,b?c=d&e=f"}, true},
		"too long":          {"x", `{"table": "` + strings.Repeat("y", request.MaxResourceBytes+1) + `"}`, "x", []string{"x"}, true},
		"as long as can be": {"", `{"table": "` + strings.Repeat("y", request.MaxResourceBytes) + `"}`, strings.Repeat("y", request.MaxResourceBytes), []string{strings.Repeat("y", request.MaxResourceBytes)}, false},
	} {
		t.Run(name, func(t *testing.T) {
			action := act(c.parameters)
			action.Spec.Resource = c.resource
			got := read(t, action)
			if got.Resource != c.first || got.ResourceUnknown != c.unknown {
				t.Errorf("resource %q, unknown %t, want %q, %t", got.Resource, got.ResourceUnknown, c.first, c.unknown)
			}
			if diff := cmp.Diff(c.all, got.Resources); diff != "" {
				t.Errorf("resources (-want +got):\n%s", diff)
			}
		})
	}
}

// A name that may stand for another makes the resource unknown; the name itself
// is kept for those who forbid it.
func TestNamesThatMayStandForOthers(t *testing.T) {
	plain := []string{
		"customers", "public.customers", "a/b-c_d", "/etc/passwd", "crm/accounts/4711", "kundenübersicht", "顧客", "клиенты", "naïve café",
		"https://api.example.com/v1/customers/7?fields=a%20b", "s3://bucket/key", "host:8080", "arn:aws:s3:::bucket", "a.b.c", "...", "a..b", "~/notes",
		"https://h/%c3%bc", "v1.2", "mail@example.com",
	}
	doubtful := []string{
		"*", "customers*", "bucket/*", "file?.txt", "50%", "%63ustomers", "a\\b", "..", "../x", "a/../b", "a/./b", "./a", "a//b", "//a", "a/..?x=1", "a/..;x",
		"customers\u200b", "cust\u00adomers", "\u202esremotsuc", "\ufeffcustomers", "cus\x00tomers", "cus\ttomers", "customers\ufe0f", "a\u034fb", "a\u00a0b",
		"\u0441ustomers", "cust\u03bfmers", "\uff43ustomers", "ﬁle", "e\u0301clair", "\U000e0063a", "a\u2028b", "a\ue000", "\ufffd",
		"https://good.example@evil.example/", "https://h/%2e%2e/x", "https://h/a%2fb", "https://h/%63", "https://h/%", "https://h/%4", "https://h/%zz", "https://h/%00",
		"\u212aunden", "\u0130d", "\u00a0customers", "https://h//a", "https://h/a b", "x/y://z", "https://h/?u=http://i", "https://h/%25",
	}
	for names, unknown := range map[*[]string]bool{&plain: false, &doubtful: true} {
		for _, name := range *names {
			text, err := json.Marshal(map[string]string{"path": name})
			if err != nil {
				t.Fatal(err)
			}
			got := read(t, act(string(text)))
			if got.ResourceUnknown != unknown {
				t.Errorf("%+q: unknown %t, want %t", name, got.ResourceUnknown, unknown)
			}
			if !slices.Contains(got.Resources, match.Fold(name)) {
				t.Errorf("%+q is not among %q", name, got.Resources)
			}
		}
	}
}

func TestManyResources(t *testing.T) {
	names := make([]string, 5000)
	for i := range names {
		names[i] = fmt.Sprintf("t%d", i)
	}
	for n, unknown := range map[int]bool{request.MaxResources: false, request.MaxResources + 1: true, len(names): true} {
		text, err := json.Marshal(map[string]any{"table": names[:n]})
		if err != nil {
			t.Fatal(err)
		}
		got := read(t, act(string(text)))
		if len(got.Resources) != min(n, request.MaxResources) || got.ResourceUnknown != unknown {
			t.Errorf("%d: kept %d, unknown %t", n, len(got.Resources), got.ResourceUnknown)
		}
	}
}

// FuzzRead: whatever is sent, Read neither panics nor looks away; and two
// requests with the same digest are the same request.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"table": ["a", "b"]}`, `{"a": 1.0}`, `{"a": 1, "a": 2}`, `{"url": "https://a@b/%2e"}`, `{"a": 9007199254740993}`,
		`{"a": "\ud800"}`, `[[[[`, `{"a": 1e400}`, `{"a": -0}`, `{"Table": "x", "paths": [{}]}`,
	} {
		f.Add([]byte(seed), []byte(`{"environment": "test"}`), "a, b")
	}
	f.Fuzz(func(t *testing.T, parameters, context []byte, resource string) {
		action := act(string(parameters))
		action.Spec.Context = act(string(context)).Spec.Parameters
		action.Spec.Resource = resource
		got, err := request.Read(action, v1alpha1.Requester{}, nil)
		if got == nil || got.Parameters == nil || got.Context == nil {
			t.Fatalf("no request, %v", err)
		}
		if err != nil {
			if !got.ResourceUnknown || got.Digest != "" && got.Resources != nil {
				t.Errorf("%v, but the request looks read: %+v", err, got)
			}
			return
		}
		if len(got.Resources) > request.MaxResources || len(got.Resources) == 0 && !got.ResourceUnknown {
			t.Errorf("resources %q, unknown %t", got.Resources, got.ResourceUnknown)
		}
		for _, name := range got.Resources {
			if name == "" || match.Fold(name) != name {
				t.Errorf("resource %q is not folded", name)
			}
		}
		// The decoded values alone give the same digest: nothing was rounded away.
		again := act("")
		again.Spec.Resource = resource
		again.Spec.Parameters, again.Spec.Context = action.Spec.Parameters.DeepCopy(), action.Spec.Context.DeepCopy()
		if again.Spec.Parameters != nil && string(parameters) != "null" {
			if again.Spec.Parameters.Raw, err = json.Marshal(got.Parameters); err != nil {
				t.Fatal(err)
			}
		}
		if read(t, again).Digest != got.Digest {
			t.Errorf("%s reads as %s, with another digest", parameters, again.Spec.Parameters.Raw)
		}
	})
}
