// SPDX-License-Identifier: Apache-2.0

package risk

import (
	"math/bits"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/match"
	"github.com/ow-kai/ascend-operator/internal/request"
)

// catalog is what the platform knows of its resources.
type catalog []catalogEntry

type catalogEntry struct {
	resources match.Globs
	word      string
	weight    weight
}

// listing is what the catalog knows of the resources of one action.
type listing struct {
	word   string // the most sensitive classification; empty when there is none
	weight weight
	words  []string // all of them
	all    bool     // every resource of the action is in the catalog
}

// catalog compiles the entries. A classification that is not in the model is
// no error: it scores as the most sensitive, as v1alpha1.DataClassification says.
func (c *compiler) catalog(path *field.Path, entries []v1alpha1.CatalogEntry) {
	for i := range entries {
		at := path.Index(i)
		entry := catalogEntry{
			resources: match.NewGlobs(entries[i].Resources),
			word:      match.Fold(string(entries[i].DataClassification)),
		}
		if len(entry.resources) == 0 {
			c.everything(field.Required(at.Child("resources"), "name the resources it covers"))
			continue
		}
		for j, glob := range entry.resources {
			if glob.String() == "" {
				c.everything(field.Required(at.Child("resources").Index(j), "say which resources it covers"))
			}
		}
		var known bool
		if entry.weight, known = c.model.classifications[entry.word]; !known {
			entry.weight = c.model.unknownData
		}
		if entry.word == "" {
			entry.word = unknown
			entry.weight.broken = c.report(field.Required(at.Child("dataClassification"), "say what data these resources hold"))
		}
		c.model.catalog = append(c.model.catalog, entry)
	}
}

// find looks up the resources that an action names. A resource that is unknown
// may be any of the catalog's. It marks the covered ones in a word of 64 bits,
// which is what request.MaxResources allows; of more than that not all are covered.
func (c catalog) find(req *request.Request) listing {
	var out listing
	var covered uint64
	for i := range c {
		entry := &c[i]
		found := req.ResourceUnknown
		for n, name := range req.Resources {
			if entry.resources.Match(name) {
				found = true
				covered |= 1 << n
			}
		}
		if found {
			out.add(entry)
		}
	}
	out.all = !req.ResourceUnknown && len(req.Resources) > 0 && bits.OnesCount64(covered) == len(req.Resources)
	return out
}

// add keeps the most sensitive; of equals the first by name.
func (l *listing) add(entry *catalogEntry) {
	l.words = append(l.words, entry.word)
	switch {
	case l.word == "" || entry.weight.above(l.weight):
	case l.weight.above(entry.weight) || l.word <= entry.word:
		return
	}
	l.word, l.weight = entry.word, entry.weight
}
