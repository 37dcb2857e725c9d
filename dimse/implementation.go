package dimse

import "gantry/dicom/uid"

// ImplementationClass is the Implementation Class UID that associations of this package
// carry (PS3.7 D.3.3.2): a UUID below 2.25 (PS3.5 B.2).
const ImplementationClass uid.UID = "2.25.137647832764220077022280938474814596932"

// ImplementationVersion is the Implementation Version Name.
const ImplementationVersion = "GANTRY_1"
