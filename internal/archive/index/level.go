package index

import (
	"fmt"

	"gantry/dicom/tag"
)

// Level is a level of the query/retrieve information model (PS3.4 C.6).
type Level uint8

// The levels, from the top.
const (
	Patient Level = iota + 1
	Study
	Series
	Image
)

// String returns the value of Query/Retrieve Level (0008,0052).
func (l Level) String() string {
	switch l {
	case Patient:
		return "PATIENT"
	case Study:
		return "STUDY"
	case Series:
		return "SERIES"
	case Image:
		return "IMAGE"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// ParseLevel reads a value of Query/Retrieve Level.
func ParseLevel(s string) (Level, bool) {
	for l := Patient; l <= Image; l++ {
		if l.String() == s {
			return l, true
		}
	}
	return 0, false
}

// LevelOf returns the level that an attribute belongs to: that of the entity whose
// modules it is in (PS3.3 A.1.2, C.7.1 to C.7.5). What is in none is of the image.
func LevelOf(t tag.Tag) Level {
	switch t {
	case tag.SpecificCharacterSet, tag.TimezoneOffsetFromUTC:
		return Patient
	case tag.StudyDate, tag.StudyTime, tag.AccessionNumber, tag.IssuerOfAccessionNumberSequence, tag.StudyInstanceUID, tag.StudyID,
		tag.ReferringPhysicianName, tag.ReferringPhysicianIdentificationSequence, tag.ConsultingPhysicianName,
		tag.StudyDescription, tag.ProcedureCodeSequence, tag.PhysiciansOfRecord, tag.PhysiciansOfRecordIdentificationSequence,
		tag.NameOfPhysiciansReadingStudy, tag.AdmittingDiagnosesDescription, tag.AdmittingDiagnosesCodeSequence,
		tag.ReferencedStudySequence, tag.RequestingService, tag.ReasonForPerformedProcedureCodeSequence,
		tag.PatientAge, tag.PatientSize, tag.PatientWeight, tag.Occupation, tag.AdditionalPatientHistory, tag.AdmissionID,
		tag.MedicalAlerts, tag.Allergies, tag.SmokingStatus, tag.PregnancyStatus, tag.PatientState,
		tag.ModalitiesInStudy, tag.SOPClassesInStudy, tag.NumberOfStudyRelatedSeries, tag.NumberOfStudyRelatedInstances,
		tag.InstitutionName, tag.OtherStudyNumbers:
		return Study
	case tag.Modality, tag.SeriesInstanceUID, tag.SeriesNumber, tag.Laterality, tag.SeriesDate, tag.SeriesTime,
		tag.PerformingPhysicianName, tag.ProtocolName, tag.SeriesDescription, tag.SeriesDescriptionCodeSequence,
		tag.OperatorsName, tag.ReferencedPerformedProcedureStepSequence, tag.BodyPartExamined, tag.PatientPosition,
		tag.SmallestPixelValueInSeries, tag.LargestPixelValueInSeries, tag.RequestAttributesSequence,
		tag.PerformedProcedureStepID, tag.PerformedProcedureStepStartDate, tag.PerformedProcedureStepStartTime,
		tag.PerformedProcedureStepEndDate, tag.PerformedProcedureStepEndTime, tag.PerformedProcedureStepDescription,
		tag.PerformedProtocolCodeSequence, tag.CommentsOnThePerformedProcedureStep, tag.FrameOfReferenceUID,
		tag.PositionReferenceIndicator, tag.Manufacturer, tag.ManufacturerModelName, tag.StationName,
		tag.InstitutionAddress, tag.InstitutionalDepartmentName, tag.DeviceSerialNumber, tag.SoftwareVersions,
		tag.NumberOfSeriesRelatedInstances, tag.TreatmentSessionUID, tag.ClinicalTrialSeriesID:
		return Series
	}
	if t.Group() == 0x0010 && t < tag.MedicalAlerts || isPatient(t) {
		return Patient
	}
	return Image
}

func isPatient(t tag.Tag) bool {
	switch t {
	case tag.PatientComments, tag.EthnicGroup, tag.PatientSpeciesDescription, tag.PatientSpeciesCodeSequence, tag.PatientBreedDescription,
		tag.ResponsiblePerson, tag.ResponsiblePersonRole, tag.ResponsibleOrganization, tag.PatientReligiousPreference,
		tag.PatientIdentityRemoved, tag.DeidentificationMethod, tag.ReferencedPatientSequence, tag.CountryOfResidence,
		tag.NumberOfPatientRelatedStudies, tag.NumberOfPatientRelatedSeries, tag.NumberOfPatientRelatedInstances:
		return true
	}
	return false
}
