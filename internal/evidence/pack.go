// SPDX-License-Identifier: Apache-2.0

package evidence

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/ow-kai/ascend-operator/api/v1alpha1"
	"github.com/ow-kai/ascend-operator/internal/audit"
	"github.com/ow-kai/ascend-operator/internal/auditexport"
	"github.com/ow-kai/ascend-operator/internal/terminal"
	"github.com/ow-kai/ascend-operator/internal/trail"
)

// Options say what goes into a pack.
type Options struct {
	Framework Framework
	// Filter chooses the records. An action is under a control also where only a
	// record that is not chosen names that.
	Filter auditexport.Filter
	// Now is when the pack is made.
	Now time.Time
	// Version of the program that makes it.
	Version string
	// Verification says what became of a check of the chains; nil where there was none.
	Verification *Verification
}

// Verification is what a check of the chains has said.
type Verification struct {
	// Sound: nothing was found.
	Sound bool `json:"sound"`
	// Statement says it in a sentence.
	Statement string `json:"statement"`
	// Details, a line each.
	Details []string `json:"details,omitempty"`
	// Last is the sequence of the last record of each chain that was checked: what an
	// operator that runs has written since is left out. nil: nothing is.
	Last map[string]uint64 `json:"-"`
}

// Summary is what a pack has in it.
type Summary struct {
	Framework Framework
	Title     string
	Options   Options
	Files     []string
	// Read are the records of the trail, of which Chosen are in the pack; Unread are
	// lines that are no records.
	Read, Chosen, Unread int
	Controls             []*Control
	// Rest are the records that are under no control of the framework.
	Rest *Control
	// Total counts each action once, however many controls it is under.
	Total Totals
	// The changes of policy, what became of admission, and what the trail tells of itself.
	Policy, Trail rows[event]
	Chains        []Chain
	// ManifestSHA256 is the hash of manifest.json, which has those of all other files.
	ManifestSHA256 string
}

// The folders of records that are under no control.
const (
	policyFolder = "policy-changes"
	trailFolder  = "trail"
	restFolder   = "not-under-a-control"
)

// UnknownFrameworkError is for a framework of which no record names a control.
type UnknownFrameworkError struct {
	Framework Framework
	// Named are the frameworks that records do name.
	Named []string
}

// Error implements error.
func (e *UnknownFrameworkError) Error() string {
	text := fmt.Sprintf("no record names a control of %s", terminal.Safe(string(e.Framework)))
	if len(e.Named) == 0 {
		return text + "; records name those that the matched rules have in spec.controls"
	}
	return text + "; they name controls of " + terminal.Safe(strings.Join(e.Named, ", "))
}

// Write makes a pack in a folder that is empty or not there. It reads the trail
// twice, each time with what open returns; what was written between, by an operator
// that runs, is not in the pack. It fails with ErrNotEmpty, ErrHere,
// UnknownFrameworkError for a framework that neither is Known nor is named by any
// record, or as the lines and the file system do; then there is no pack.
func Write(path string, open func() iter.Seq2[trail.Line, error], options Options) (*Summary, error) {
	to, err := newFolder(path)
	if err != nil {
		return nil, err
	}
	defer to.discard()
	survey, err := surveyOf(&options, open())
	if err != nil {
		return nil, err
	}
	if len(survey.controls) == 0 && !slices.Contains(Known, options.Framework) {
		return nil, &UnknownFrameworkError{options.Framework, survey.named()}
	}
	p, err := newPack(to, survey, options)
	if err != nil {
		return nil, err
	}
	for line, err := range open() {
		if err != nil {
			return nil, err
		}
		if err := p.add(line); err != nil {
			return nil, err
		}
	}
	if err := p.finish(); err != nil {
		return nil, err
	}
	return p.summary, to.finish()
}

// pack is one while it is written.
type pack struct {
	to       *folder
	survey   *survey
	summary  *Summary
	all      *Control
	actions  *actions
	controls map[string]*Control
	shelves  map[string]*shelf // by folder
}

func newPack(to *folder, survey *survey, options Options) (*pack, error) {
	p := &pack{
		to: to, survey: survey, all: newControl("", "", ""), actions: newActions(survey.recorded), controls: map[string]*Control{}, shelves: map[string]*shelf{},
		summary: &Summary{
			Framework: options.Framework, Title: options.Framework.Title(), Options: options, Files: survey.files,
			Read: survey.records, Unread: survey.unread, Chains: survey.heads(), Rest: newControl("", "Not under a control", restFolder),
		},
	}
	names := folderNames(slices.SortedFunc(maps.Keys(survey.controls), byNumber))
	for _, id := range slices.SortedFunc(maps.Keys(survey.controls), byNumber) {
		control := newControl(id, controlTitles[string(options.Framework)+":"+id], "controls/"+names[id])
		p.controls[id] = control
		p.summary.Controls = append(p.summary.Controls, control)
	}
	folders := []string{policyFolder, trailFolder, restFolder}
	for _, control := range p.summary.Controls {
		folders = append(folders, control.Folder)
	}
	for _, name := range folders {
		shelf, err := to.shelf(name)
		if err != nil {
			return nil, err
		}
		p.shelves[name] = shelf
	}
	return p, nil
}

// add puts a record on every shelf where it belongs, at least on one.
func (p *pack) add(line trail.Line) error {
	r, err := line.Record()
	if err != nil || r.Sequence > p.survey.newest[r.Chain] || !p.summary.Options.Filter.Matches(r) {
		return nil //nolint:nilerr // lines that are no records were counted by the survey
	}
	p.summary.Chosen++
	var folders []string
	var verdicts []verdict
	if auditexport.IsAction(r) {
		verdicts = p.actions.learn(r)
	}
	for _, id := range p.survey.controlsOf(r) {
		p.controls[id].add(r, verdicts)
		folders = append(folders, p.controls[id].Folder)
	}
	switch {
	case isTrail(r):
		p.summary.Trail.add(eventOf(r))
		folders = append(folders, trailFolder)
	case isPolicy(r):
		p.summary.Policy.add(eventOf(r))
		folders = append(folders, policyFolder)
	default:
		p.all.add(r, verdicts)
		if len(folders) == 0 {
			p.summary.Rest.add(r, verdicts)
			folders = append(folders, restFolder)
		}
	}
	for _, name := range folders {
		if err := p.shelves[name].add(line.Raw, r); err != nil {
			return err
		}
	}
	return nil
}

// isTrail says whether a record is about the trail, or about all of admission.
func isTrail(r *audit.Record) bool {
	return strings.HasPrefix(string(r.Event), "audit.") || r.Event == audit.EventNotEnforced || r.Event == audit.EventEnforced
}

// isPolicy says whether a record is a change of policy that was let through.
func isPolicy(r *audit.Record) bool {
	return slices.Contains(policyEvents, r.Event)
}

var policyEvents = []v1alpha1.EventType{audit.EventPolicyCreated, audit.EventPolicyUpdated, audit.EventPolicyDeleted, v1alpha1.EventAgentSuspended}

// finish writes the page and the manifest.
func (p *pack) finish() error {
	for key, action := range p.actions.of {
		p.all.count(action)
		under := p.survey.of[key]
		for _, id := range under {
			p.controls[id].count(action)
		}
		if len(under) == 0 {
			p.summary.Rest.count(action)
		}
	}
	for _, control := range append([]*Control{p.all, p.summary.Rest}, p.summary.Controls...) {
		control.finish()
	}
	p.summary.Total = p.all.Totals
	sortRows(p.summary.Policy.List, func(e event) time.Time { return e.Time })
	sortRows(p.summary.Trail.List, func(e event) time.Time { return e.Time })
	for _, shelf := range p.shelves {
		if err := shelf.flush(); err != nil {
			return err
		}
	}
	page := p.to.create("index.html")
	if err := writePage(page, p.summary); err != nil {
		return err
	}
	return p.writeManifest()
}
